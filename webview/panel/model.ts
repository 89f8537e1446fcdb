import type { HostToPanel, PanelToHost } from '../../src/protocol/panel';

/** All that the page shows; the host's snapshot, kept up to date by what comes after it. */
export type PanelModel = Omit<Extract<HostToPanel, { type: 'snapshot' }>, 'type'>;

export type Send = (message: PanelToHost) => void;
