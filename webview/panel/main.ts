import 'uplot/dist/uPlot.min.css';
import type { HostToPanel, PanelState, PanelToHost } from '../../src/protocol/panel';
import { panelStateSchema } from '../../src/protocol/panel';
import { requireElement } from '../shared/dom';
import { connectToHost } from '../shared/vscodeApi';
import { isHostMessage } from './messages';
import { Panel } from './panel';
import './panel.css';

const host = connectToHost<HostToPanel, PanelToHost, PanelState>(isHostMessage, panelStateSchema);
const panel = new Panel(
  requireElement('app'),
  (message) => host.send(message),
  (state) => host.keep(state),
  host.kept?.draft,
);
host.listen((message) => panel.receive(message));
host.send({ type: 'ready' });
