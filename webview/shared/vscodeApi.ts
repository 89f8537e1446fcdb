import * as v from 'valibot';

/** What VS Code gives to the script of a webview, once. */
interface RawApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): RawApi;

export interface HostLink<In, Out, State> {
  send(message: Out): void;
  /** What the page kept before it was made anew; undefined if nothing that can be read. */
  readonly kept: State | undefined;
  /** Keeps what a reload of the window needs; the host gets it when it restores the page. */
  keep(state: State): void;
  /** Calls `listener` for every message of the host that `check` accepts. */
  listen(listener: (message: In) => void): void;
}

/**
 * The link to the extension host.
 * @param check tells a message of the host from anything else that reaches the page
 * @param stateSchema of what the page keeps
 */
export function connectToHost<In, Out, State>(
  check: (data: unknown) => data is In,
  stateSchema: v.GenericSchema<unknown, State>,
): HostLink<In, Out, State> {
  const api = acquireVsCodeApi();
  const kept = v.safeParse(stateSchema, api.getState());
  return {
    send: (message) => api.postMessage(message),
    kept: kept.success ? kept.output : undefined,
    keep: (state) => api.setState(state),
    listen: (listener) => {
      window.addEventListener('message', (event: MessageEvent<unknown>) => {
        if (check(event.data)) {
          listener(event.data);
        }
      });
    },
  };
}
