/** What VS Code gives to the script of a webview, once. */
interface RawApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): RawApi;

export interface HostLink<In, Out, State> {
  send(message: Out): void;
  /** What the page kept before it was made anew; undefined if nothing. */
  readonly kept: unknown;
  /** Keeps what a reload of the window needs; the host gets it when it restores the page. */
  keep(state: State): void;
  /** Calls `listener` for every message of the host that `check` accepts. */
  listen(listener: (message: In) => void): void;
}

/**
 * The link to the extension host.
 * @param check tells a message of the host from anything else that reaches the page
 */
export function connectToHost<In, Out, State>(
  check: (data: unknown) => data is In,
): HostLink<In, Out, State> {
  const api = acquireVsCodeApi();
  return {
    send: (message) => api.postMessage(message),
    kept: api.getState(),
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
