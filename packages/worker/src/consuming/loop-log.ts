import type { QueueFault } from "@bullrush/broker";
import type { ThrottledLog } from "@bullrush/program";
import type { Logger } from "pino";
import { shortened } from "./refusals.js";
import type { TrackedDelivery } from "./tracked-delivery.js";

/** What the loop says about what it takes and settles: never arguments or results. */
export class LoopLog {
  readonly #log: Logger;
  readonly #trouble: ThrottledLog;
  #closed = false;

  constructor(log: Logger, trouble: ThrottledLog) {
    this.#log = log;
    this.#trouble = trouble;
  }

  /** Stops logging what goes wrong during shutdown; what becomes of deliveries is still said. */
  close(): void {
    this.#closed = true;
  }

  /** Something failed that is tried again. */
  trouble(text: string, cause: unknown): void {
    if (!this.#closed) this.#trouble.warn(text, cause);
  }

  faults(faults: readonly QueueFault[]): void {
    for (const { queue, refusal, left } of faults) {
      const reason = refusal?.reason;
      if (reason !== undefined) this.trouble(`nothing is taken from queue ${queue}`, reason);
      if (left === 0) continue;
      const why = reason ?? "their keys hold something else";
      this.trouble(`messages of queue ${queue} could not begin, and wait for the scan for lost tasks`, `${left} in one take: ${why}`);
    }
  }

  /** A success whose lease was lost counts all the same, if it is the first; until now nobody has said that the task has ended. */
  lateSuccess({ delivery: { content, id }, settlement: { outcome } }: TrackedDelivery): void {
    if (outcome.type !== "succeeded" || content.type !== "message") return;
    this.#log.info({ task: content.message.task, id }, "succeeded, though its lease was lost");
  }

  /** A run whose lease was lost came too late to end its task. One whose settlement was repeated may have been settled by itself. */
  notCounted({ delivery: { id, queue }, settlement: { outcome }, isRepeated }: TrackedDelivery): void {
    if (isRepeated) return;
    this.#log.warn(
      { id, queue, outcome: outcome.type },
      "this run does not count: its lease was lost, and another run of the task has ended it, or will",
    );
  }

  refused({ delivery: { id, queue }, settlement: { outcome }, refusals }: TrackedDelivery, reason: string | undefined): void {
    const why = reason === undefined ? "why is not known" : `${shortened(reason)} (time ${refusals})`;
    this.#trouble.warn("a settlement was refused", `${outcome.type} ${id} in ${queue}: ${why}`);
  }

  notSettled({ delivery: { id, queue } }: TrackedDelivery, reason: string): void {
    this.#log.error({ id, queue, reason }, "not settled: its lease runs out, and it is taken again");
  }
}
