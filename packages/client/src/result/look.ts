import { isTerminal, type Engine, type Loan, type ReadOptions, type TaskRecord } from "@bullrush/broker";
import type { Reference } from "./reference.js";

/** What is known of a task: its record or what stands for it, and its loan if it runs. */
export interface Seen {
  readonly record: TaskRecord;
  readonly loan?: Loan;
}

type Source = Pick<Engine, "queues" | "results">;

/** The stored record of a task; `undefined` if there is none. */
export async function readRecord(id: string, { results }: Pick<Source, "results">, options?: ReadOptions): Promise<TaskRecord | undefined> {
  const [record] = await results.read([id], options);
  return record;
}

/**
 * Reads the record of a task, or what stands for it.
 * @param withLoan whether to ask the broker for the loan even if the record says that the task runs
 */
export async function look({ id, queues, elsewhere = false }: Reference, source: Source, withLoan: boolean): Promise<Seen> {
  const record = await readRecord(id, source);
  if (record !== undefined && !(withLoan ? !isTerminal(record.state) : isWaiting(record))) return { record };
  const places = record?.queue === undefined ? queues : [...new Set([...queues, record.queue])];
  const [location = "absent"] = await source.queues.locate([{ id, queues: places, elsewhere }]);
  if (location === "waiting") return { record: { state: "PENDING", delivery: 0, ...record } };
  if (typeof location === "object" && "taken" in location) {
    // The stored record of a task that waits describes the last attempt.
    const runs = record === undefined || isWaiting(record) ? ({ state: "STARTED", delivery: 0 } as const) : record;
    return { record: runs, loan: location.taken };
  }
  // The task may have ended between the two reads.
  const again = await readRecord(id, source, { isSure: true });
  if (location === "absent") return { record: again ?? { state: "UNKNOWN", delivery: 0 } };
  const isKnown = again !== undefined && again.state !== "PENDING";
  return { record: isKnown ? again : { delivery: 0, ...again, state: "REVOKED", reason: location.revoked } };
}

/** Whether its message waits, according to its record. */
function isWaiting({ state }: TaskRecord): boolean {
  return state === "PENDING" || state === "RETRY";
}
