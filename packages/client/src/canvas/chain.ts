import type { AsyncResult } from "../result/async-result.js";
import type { Handle } from "../result/handle.js";
import { BaseCanvas, type CanvasPart } from "./base-canvas.js";
import { mark } from "../options/link.js";
import type { AnyCanvas, ResultOf } from "./canvas.js";
import type { Checked, Last, NeedsOfFirst, SentOf } from "./fit.js";
import { contentsOf, senderOf, type Content } from "./content.js";
import { chainOf, isDissolved, type ChainNode } from "./node.js";

/**
 * Canvases that run one after the other. Each gets the result of the one before it in front of its
 * arguments, unless it is immutable.
 */
export class Chain<
  out Result = unknown,
  in Needs extends unknown[] = [],
  out Sent extends Handle<Result> = AsyncResult<Result>,
> extends BaseCanvas<Result, Needs, Sent> {
  /** The steps, each as a canvas of its own. */
  get tasks(): readonly CanvasPart[] {
    const { node } = this[mark] as Content<ChainNode>;
    return this.partsOf(node.steps);
  }
}

/**
 * Makes a chain: its steps run one after the other, and its result is that of the last step. When a
 * step fails, later steps are skipped and fail with the same error, groups and chords included. A
 * group passes the array of its members' results to the next step, which waits for all of them;
 * after a step, each member of a group gets that step's result. A chain without steps cannot be
 * sent, but can grow: `chain(empty, step)` is `chain(step)`. Throws `INVALID_OPTION` for a value
 * that is not a canvas.
 */
export function chain<const Steps extends readonly AnyCanvas[]>(
  ...steps: Checked<Steps>
): Chain<ResultOf<Last<Steps>>, NeedsOfFirst<Steps>, SentOf<Last<Steps>>> {
  const contents = contentsOf(steps, "chain()");
  const depth = contents.reduce((deep, content) => Math.max(deep, isDissolved(content.node) ? content.depth : content.depth + 1), 1);
  return new Chain({ node: chainOf(contents.map(({ node }) => node)), send: senderOf(contents, "a chain"), depth });
}
