import type { Consumer, Outcome } from "@bullrush/broker";
import type { ThrottledLog } from "@bullrush/program";
import type { TrackedDelivery } from "./tracked-delivery.js";

export interface LostEndsOptions {
  readonly consumer: Pick<Consumer, "end">;
  readonly trouble: ThrottledLog;
  /** Hears when an end was counted, or could not be. */
  readonly onCounted: () => void;
}

/** Counts on the broker that runs ended whose leases were lost: a run that ends is no crash for the worker that takes its message next. */
export class LostEnds {
  readonly #options: LostEndsOptions;
  #pending = 0;
  #closed = false;

  constructor(options: LostEndsOptions) {
    this.#options = options;
  }

  /** How many are being counted. */
  get pending(): number {
    return this.#pending;
  }

  /** Counts the end of a run, unless it is a crash. Never rejects. */
  async count(tracked: TrackedDelivery, outcome?: Outcome): Promise<void> {
    const { consumer, trouble, onCounted } = this.#options;
    if (isCrash(tracked, outcome)) return;
    this.#pending++;
    try {
      await consumer.end(tracked.delivery);
    } catch (error) {
      if (!this.#closed) trouble.warn("the end of a task was not counted", error);
    } finally {
      this.#pending--;
      onCounted();
    }
  }

  /** Stops logging errors during shutdown. */
  close(): void {
    this.#closed = true;
  }
}

/** Whether its runner died, or it must not run twice. */
function isCrash({ startedOnce }: TrackedDelivery, outcome: Outcome | undefined): boolean {
  return outcome?.type === "crashed" || (startedOnce && outcome?.type !== "requeued");
}
