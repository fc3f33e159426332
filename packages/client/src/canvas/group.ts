import type { GroupResult } from "../result/group-result.js";
import { BaseCanvas, type CanvasPart } from "./base-canvas.js";
import { mark } from "../options/link.js";
import type { AnyCanvas } from "./canvas.js";
import type { NeedsOfAll, ResultsOf } from "./fit.js";
import { contentsOf, groupOf, type Content } from "./content.js";
import type { GroupNode } from "./node.js";

/** Canvases that run at the same time. The result is the array of theirs, in their order. */
export class Group<out Results extends readonly unknown[] = readonly unknown[], in Needs extends unknown[] = []> extends BaseCanvas<
  Results,
  Needs,
  GroupResult<Results>
> {
  /** Its members, each as a canvas that stands by itself. */
  get tasks(): readonly CanvasPart[] {
    const { node } = this[mark] as Content<GroupNode>;
    return this.partsOf(node.members);
  }
}

/**
 * All at the same time, as a list or one by one. Behind a step, each member gets its value. A group of none is an empty array. Throws `INVALID_OPTION` for what is no canvas.
 */
export function group<const Members extends readonly AnyCanvas[]>(members: Members): Group<ResultsOf<Members>, NeedsOfAll<Members>>;
export function group<const Members extends readonly AnyCanvas[]>(...members: Members): Group<ResultsOf<Members>, NeedsOfAll<Members>>;
export function group(...input: readonly unknown[]): Group<readonly unknown[], never> {
  const members = input.length === 1 && Array.isArray(input[0]) ? (input[0] as unknown[]) : input;
  return new Group(groupOf(contentsOf(members, "group()"), "a group"));
}
