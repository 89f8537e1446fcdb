import * as v from 'valibot';
import type { HostToInspector, InspectorState, InspectorToHost } from '../../src/protocol/inspector';
import { hostToInspectorSchema, inspectorStateSchema } from '../../src/protocol/inspector';

declare function acquireVsCodeApi(): {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
};

const firstState: InspectorState = { filter: '', sort: null, scrollTop: 0 };

/** The link to the extension host, and what VS Code keeps of the page while it is hidden. */
export function connect(listener: (message: HostToInspector) => void): {
  state: InspectorState;
  keep: (state: InspectorState) => void;
  send: (message: InspectorToHost) => void;
} {
  const api = acquireVsCodeApi();
  window.addEventListener('message', (event: MessageEvent<unknown>) => {
    if (v.is(hostToInspectorSchema, event.data)) {
      listener(event.data);
    }
  });
  const kept = v.safeParse(inspectorStateSchema, api.getState());
  return {
    state: kept.success ? kept.output : firstState,
    keep: (state) => api.setState(state),
    send: (message) => api.postMessage(message),
  };
}
