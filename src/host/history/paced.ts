/** Does something at once when asked to, and again, once, for all that is asked soon after: never more often than that. */
export class Paced {
  private timer: NodeJS.Timeout | undefined;
  private isAsked = false;

  /** @param apartMs least time from one doing to the next */
  constructor(
    private readonly act: () => void,
    private readonly apartMs: number,
  ) {}

  readonly ask = (): void => {
    if (this.timer !== undefined) {
      this.isAsked = true;
      return;
    }
    this.timer = setTimeout(() => this.open(), this.apartMs);
    this.act();
  };

  dispose(): void {
    clearTimeout(this.timer);
  }

  private open(): void {
    this.timer = undefined;
    if (this.isAsked) {
      this.isAsked = false;
      this.ask();
    }
  }
}
