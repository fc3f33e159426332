import type { BullrushError, Clock, Consumer } from "@bullrush/broker";
import type { ThrottledLog } from "@bullrush/program";
import type { Breaker } from "./breaker.js";
import { MissingRights } from "./missing-rights.js";

export interface ListenerOptions {
  readonly consumer: Pick<Consumer, "wait" | "releaseWakeups" | "stopListening">;
  readonly clock: Clock;
  readonly trouble: ThrottledLog;
  readonly breaker: Breaker;
  /** Hears when Redis does not let its user listen, and there is no use in trying again. May hear it more than once. */
  readonly onHopeless: (error: BullrushError) => void;
  /** Hears each time that a wait is over, for whatever reason. */
  readonly onHeard: () => void;
}

/** Waits until there may be something to take, and passes on to other workers what was heard here and cannot be used. */
export class Listener {
  readonly #options: ListenerOptions;
  #ringing: Promise<void> | undefined;
  readonly #rights: MissingRights;
  #muted = false;
  #closed = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#rights = new MissingRights(options.clock, options.onHopeless);
  }

  /** Whether a wait is under way. */
  get listening(): boolean {
    return this.#ringing !== undefined;
  }

  /** Listens, unless it does already. */
  listen(): void {
    this.#ringing ??= this.#listen();
  }

  /** Leaves it to others that something may be taken. Never rejects. */
  async passOn(): Promise<void> {
    try {
      await this.#options.consumer.releaseWakeups();
    } catch (error) {
      if (!this.#closed) this.#options.trouble.warn("what was heard was not passed on", error);
    }
  }

  /**
   * Listens no more. Resolves when what was on its way here is passed on: it still arrives, and what is passed on before Redis knows that nobody listens here comes
   * back.
   */
  async mute(): Promise<void> {
    this.#muted = true;
    this.#options.consumer.stopListening();
    await this.#ringing;
    await this.passOn();
  }

  /** Says nothing more of what goes wrong. */
  close(): void {
    this.#closed = true;
  }

  async #listen(): Promise<void> {
    const { consumer, clock, trouble, breaker, onHeard } = this.#options;
    try {
      await consumer.wait();
      this.#rights.granted();
    } catch (error) {
      if (!this.#muted) {
        breaker.failed(clock.now());
        trouble.warn("not waiting for tasks", error);
        this.#rights.failed(error);
      }
    } finally {
      this.#ringing = undefined;
      onHeard();
    }
  }
}
