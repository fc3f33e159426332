import type { Producer } from "../contenders/contender.js";
import { now } from "./clock.js";
import type { Sample } from "./metric.js";
import { quantile } from "./statistics.js";

/** How long one task took, in ms from when it was due. */
export interface Latency {
  readonly start: number;
  readonly result: number;
}

/** Sends a task whose result is the time at which it ran, and measures from `due`. */
export async function timed(producer: Producer, call: number, due: number = now()): Promise<Latency> {
  const startedAt = await producer.ask(call);
  const endedAt = now();
  if (typeof startedAt !== "number" || startedAt < due || startedAt > endedAt) throw new Error(`task ${call} gave ${String(startedAt)}`);
  return { start: startedAt - due, result: endedAt - due };
}

export function summary(latencies: readonly Latency[]): Sample {
  const starts = latencies.map(({ start }) => start);
  const results = latencies.map(({ result }) => result);
  return {
    startP50: quantile(starts, 0.5),
    startP99: quantile(starts, 0.99),
    resultP50: quantile(results, 0.5),
    resultP99: quantile(results, 0.99),
  };
}
