import { BullrushError } from "@bullrush/broker";
import type { AsyncResult } from "../result/async-result.js";

/** Some of the calls that `publishAll` sent were not confirmed. `cause` is the error of the first of them. */
export class PublishError extends BullrushError<"NOT_ALL_SENT"> {
  override name = "PublishError";
  /** For each call, in their order: the handle on its result, or why it was not confirmed. */
  readonly results: readonly (AsyncResult | BullrushError)[];

  constructor(results: readonly (AsyncResult | BullrushError)[]) {
    const errors = results.filter((result) => result instanceof BullrushError);
    const [first] = errors;
    super("NOT_ALL_SENT", { failed: errors.length, calls: results.length, reason: first?.message ?? "" }, { cause: first });
    this.results = results;
  }
}
