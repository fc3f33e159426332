import type { BullrushError, Clock, Consumer } from "@bullrush/broker";
import type { ThrottledLog } from "@bullrush/program";
import type { Breaker } from "./breaker.js";
import { MissingRights } from "./missing-rights.js";

export interface WakeupsOptions {
  readonly consumer: Pick<Consumer, "wait" | "releaseWakeups" | "stopListening">;
  readonly clock: Clock;
  readonly trouble: ThrottledLog;
  readonly breaker: Breaker;
  /** Hears when Redis does not let its user listen, and there is no use in trying again. May hear it more than once. */
  readonly onHopeless: (error: BullrushError) => void;
  /** Hears each time that a wait is over, for whatever reason. */
  readonly onHeard: () => void;
}

/** Waits until there may be something to take, and releases to other workers the wakeups that this one cannot use. */
export class Wakeups {
  readonly #options: WakeupsOptions;
  #wait: Promise<void> | undefined;
  readonly #rights: MissingRights;
  #stopped = false;
  #closed = false;

  constructor(options: WakeupsOptions) {
    this.#options = options;
    this.#rights = new MissingRights(options.clock, options.onHopeless);
  }

  /** Whether a wait is under way. */
  get waiting(): boolean {
    return this.#wait !== undefined;
  }

  /** Begins to wait, unless a wait is under way. */
  wait(): void {
    this.#wait ??= this.#waitOnce();
  }

  /** Releases the wakeups of this worker, so that others get them. Never rejects. */
  async release(): Promise<void> {
    try {
      await this.#options.consumer.releaseWakeups();
    } catch (error) {
      if (!this.#closed) this.#options.trouble.warn("what was heard was not passed on", error);
    }
  }

  /**
   * Stops listening. Resolves when the wakeups that were under way are released: they still arrive,
   * and one that is released before Redis knows that nobody listens here comes back.
   */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#options.consumer.stopListening();
    await this.#wait;
    await this.release();
  }

  /** Stops logging errors during shutdown. */
  close(): void {
    this.#closed = true;
  }

  async #waitOnce(): Promise<void> {
    const { consumer, clock, trouble, breaker, onHeard } = this.#options;
    try {
      await consumer.wait();
      this.#rights.granted();
    } catch (error) {
      if (!this.#stopped) {
        breaker.failed(clock.now());
        trouble.warn("not waiting for tasks", error);
        this.#rights.failed(error);
      }
    } finally {
      this.#wait = undefined;
      onHeard();
    }
  }
}
