import type { AsyncResult } from "../result/async-result.js";
import type { Handle } from "../result/handle.js";
import { BaseCanvas, type CanvasPart } from "./base-canvas.js";
import { mark } from "../options/link.js";
import type { AnyCanvas, ResultOf } from "./canvas.js";
import type { Checked, Last, NeedsOfFirst, SentOf } from "./fit.js";
import { contentsOf, senderOf, type Content } from "./content.js";
import { chainOf, isDissolved, type ChainNode } from "./node.js";

/** Canvases that run one after the other: each gets what comes of the one before it, in front of its arguments, unless it is immutable. */
export class Chain<
  out Result = unknown,
  in Needs extends unknown[] = [],
  out Sent extends Handle<Result> = AsyncResult<Result>,
> extends BaseCanvas<Result, Needs, Sent> {
  /** Its steps, each as a canvas that stands by itself. */
  get tasks(): readonly CanvasPart[] {
    const { node } = this[mark] as Content<ChainNode>;
    return this.partsOf(node.steps);
  }
}

/**
 * One after the other. The result is that of the last step; when a step fails, those behind it fail of the same, groups and chords
 * included. A step that is a group gives the array of its members' values to the step behind it, which waits for all of them; behind a
 * step, each member gets its value. Without steps it is a beginning that grows: `chain(empty, step)` is `chain(step)`; sending it is refused. Throws `INVALID_OPTION` for what
 * is no canvas.
 */
export function chain<const Steps extends readonly AnyCanvas[]>(
  ...steps: Checked<Steps>
): Chain<ResultOf<Last<Steps>>, NeedsOfFirst<Steps>, SentOf<Last<Steps>>> {
  const contents = contentsOf(steps, "chain()");
  const depth = contents.reduce((deep, content) => Math.max(deep, isDissolved(content.node) ? content.depth : content.depth + 1), 1);
  return new Chain({ node: chainOf(contents.map(({ node }) => node)), send: senderOf(contents, "a chain"), depth });
}
