import 'uplot/dist/uPlot.min.css';
import * as v from 'valibot';
import type { HostToPanel, PanelState, PanelToHost } from '../../src/protocol/panel';
import { panelStateSchema } from '../../src/protocol/panel';
import { requireElement } from '../shared/dom';
import { connectToHost } from '../shared/vscodeApi';
import { isHostMessage } from './messages';
import { Panel } from './panel';
import './panel.css';

const host = connectToHost<HostToPanel, PanelToHost, PanelState>(isHostMessage);
const kept = v.safeParse(panelStateSchema, host.kept);
const panel = new Panel(
  requireElement('app'),
  (message) => host.send(message),
  (state) => host.keep(state),
  kept.success ? kept.output : { runId: null },
);
host.listen((message) => panel.receive(message));
host.send({ type: 'ready' });
