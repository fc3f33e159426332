import type { Outcome } from "@bullrush/broker";
import type { ExecuteLayer, Execution, Outcome as SeenOutcome } from "@bullrush/client";
import { refuse } from "../refuse.js";
import { seenOutcome } from "./seen.js";

/** How a run ended, and the same as middleware sees it. */
interface Ended {
  readonly outcome: Outcome;
  readonly seen: SeenOutcome;
}

/** What a run is made of. */
export interface Execute {
  readonly layers: readonly ExecuteLayer[];
  readonly execution: Execution;
  /** Runs the function. Calls `onValue` with what it returned. Never rejects. */
  readonly run: (onValue: (value: unknown) => void) => Promise<Outcome>;
  /** What becomes of the run when a middleware throws. Never throws. */
  readonly outcomeOf: (error: unknown) => Outcome;
}

/** Runs a function through layers, the first outermost. What a layer throws ends the run as if the function had thrown it. Never rejects. */
export async function executeThrough(execute: Execute): Promise<Outcome> {
  const { outcome } = await runFrom(0, execute);
  return outcome;
}

async function runFrom(index: number, execute: Execute): Promise<Ended> {
  const { layers, execution, run, outcomeOf } = execute;
  const layer = layers[index];
  if (layer === undefined) return runInnermost(run);
  const what = `execute of middleware "${layer.name}"`;
  let inner: Promise<Ended> | undefined;
  let isTwice = false;
  const next = async (given: Execution): Promise<SeenOutcome> => {
    isTwice ||= inner !== undefined;
    if (isTwice) refuse(what, "calling next() twice", "one call of next()");
    if (given !== execution) refuse(what, "calling next() with another execution", "the execution that it got");
    inner = runFrom(index + 1, execute);
    const { seen } = await inner;
    return seen;
  };
  try {
    const returned = await layer.execute(execution, next);
    const ended = await inner;
    if (isTwice) refuse(what, "calling next() twice", "one call of next()");
    if (ended === undefined || returned !== ended.seen) refuse(what, "returning something else", "the outcome of next(), or an error");
    return ended;
  } catch (error) {
    // The function may still run.
    await inner;
    const outcome = outcomeOf(error);
    return { outcome, seen: seenOutcome(outcome) };
  }
}

async function runInnermost(run: Execute["run"]): Promise<Ended> {
  let value: unknown;
  const outcome = await run((returned) => (value = returned));
  const seen = seenOutcome(outcome);
  return { outcome, seen: seen.type === "succeeded" && value !== undefined ? { ...seen, value } : seen };
}
