export interface Disposable {
  dispose(): unknown;
}

/** Keeps disposables and disposes of them in the opposite order, whatever one of them throws. */
export class DisposableStore implements Disposable {
  private readonly items: Disposable[] = [];

  add<T extends Disposable>(item: T): T {
    this.items.push(item);
    return item;
  }

  dispose(): void {
    for (let item = this.items.pop(); item !== undefined; item = this.items.pop()) {
      try {
        item.dispose();
      } catch {
        // The others have to go as well.
      }
    }
  }
}

/** Subscribes to a Node emitter, as VS Code's events are subscribed to. */
export function listen<E extends string>(
  emitter: { on(event: E, listener: () => void): unknown; off(event: E, listener: () => void): unknown },
  event: E,
  listener: () => void,
): Disposable {
  emitter.on(event, listener);
  return { dispose: () => emitter.off(event, listener) };
}
