import { systemTiming, type Timing } from "@bullrush/broker";

/** A sleep that `wake()` ends. A `wake()` while awake makes the next sleep return at once. */
export class Sleeper {
  readonly #timing: Pick<Timing, "setTimer">;
  #woken = false;
  #wake: (() => void) | undefined;

  constructor(timing: Pick<Timing, "setTimer"> = systemTiming) {
    this.#timing = timing;
  }

  wake(): void {
    this.#woken = true;
    this.#wake?.();
  }

  /** Resolves after `ms`, or as soon as it is woken. */
  async sleep(ms: number): Promise<void> {
    if (!this.#woken && ms > 0) {
      await new Promise<void>((resolve) => {
        const timer = this.#timing.setTimer(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    this.#woken = false;
  }
}
