import { BullrushError } from "@bullrush/broker";
import type { AsyncResult } from "../result/async-result.js";

/** Some calls of a `publishAll` were not confirmed. `cause` is the error of the first of them. */
export class PublishError extends BullrushError<"NOT_ALL_SENT"> {
  override name = "PublishError";
  /** For each call, in order: the handle on its result, or the error. */
  readonly results: readonly (AsyncResult | BullrushError)[];

  constructor(results: readonly (AsyncResult | BullrushError)[]) {
    const errors = results.filter((result) => result instanceof BullrushError);
    const [first] = errors;
    super("NOT_ALL_SENT", { failed: errors.length, calls: results.length, reason: first?.message ?? "" }, { cause: first });
    this.results = results;
  }
}
