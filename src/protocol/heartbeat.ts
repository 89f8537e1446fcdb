/** Both sides of a link ping the other this often. */
export const HEARTBEAT_MS = 4000;
/** A link that was silent for this many heartbeats is dead, even if the socket does not say so. */
const MISSED_HEARTBEATS = 2;
/** Within this time a link is known to be dead. */
export const MAX_SILENCE_MS = (MISSED_HEARTBEATS + 1) * HEARTBEAT_MS;

/** What is needed of a socket; both ends of `ws` have it. */
interface Beating {
  on(event: 'ping' | 'pong' | 'message', listener: () => void): unknown;
  once(event: 'close', listener: () => void): unknown;
  ping(): void;
}

/** Pings the other side until the socket closes. @param dead called once if it stays silent */
export function watchHeartbeat(socket: Beating, intervalMs: number, dead: () => void): void {
  let silentBeats = 0;
  const alive = (): void => {
    silentBeats = 0;
  };
  for (const sign of ['ping', 'pong', 'message'] as const) {
    socket.on(sign, alive);
  }
  const timer = setInterval(() => {
    if (silentBeats >= MISSED_HEARTBEATS) {
      clearInterval(timer);
      dead();
      return;
    }
    silentBeats += 1;
    socket.ping();
  }, intervalMs);
  socket.once('close', () => clearInterval(timer));
}
