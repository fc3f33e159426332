import type { Outcome } from "@bullrush/broker";
import type { Execution } from "../execution/execution.js";

/** What runs an execution to its outcome. Never rejects. */
export type Run = (execution: Execution) => Promise<Outcome>;

/** A layer around execution: it may give an outcome of its own instead of calling `next`, or look at what `next` gives. */
export type Middleware = (execution: Execution, next: Run) => Promise<Outcome>;

/** `run` with `layers` around it, the first outermost. */
export function compose(layers: readonly Middleware[], run: Run): Run {
  return layers.reduceRight<Run>((next, layer) => (execution) => layer(execution, next), run);
}
