import type { GroupResult } from "../result/group-result.js";
import { BaseCanvas, type CanvasPart } from "./base-canvas.js";
import { mark } from "../options/link.js";
import type { AnyCanvas } from "./canvas.js";
import type { NeedsOfAll, ResultsOf } from "./fit.js";
import { contentsOf, groupOf, type Content } from "./content.js";
import type { GroupNode } from "./node.js";

/** Canvases that run at the same time. The result is the array of their results, in order. */
export class Group<out Results extends readonly unknown[] = readonly unknown[], in Needs extends unknown[] = []> extends BaseCanvas<
  Results,
  Needs,
  GroupResult<Results>
> {
  /** The members, each as a canvas of its own. */
  get tasks(): readonly CanvasPart[] {
    const { node } = this[mark] as Content<GroupNode>;
    return this.partsOf(node.members);
  }
}

/**
 * Makes a group of canvases, from a list or from arguments. After a step, each member gets the
 * result of that step. An empty group results in an empty array. Throws `INVALID_OPTION` for a
 * value that is not a canvas.
 */
export function group<const Members extends readonly AnyCanvas[]>(members: Members): Group<ResultsOf<Members>, NeedsOfAll<Members>>;
export function group<const Members extends readonly AnyCanvas[]>(...members: Members): Group<ResultsOf<Members>, NeedsOfAll<Members>>;
export function group(...input: readonly unknown[]): Group<readonly unknown[], never> {
  const members = input.length === 1 && Array.isArray(input[0]) ? (input[0] as unknown[]) : input;
  return new Group(groupOf(contentsOf(members, "group()"), "a group"));
}
