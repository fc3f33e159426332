import type { AsyncResult } from "../result/async-result.js";
import type { Handle } from "../result/handle.js";
import { checkOptions, kindOf, refuse } from "../options/check.js";
import { BaseCanvas, type CanvasPart } from "./base-canvas.js";
import { mark } from "../options/link.js";
import type { AnyCanvas, NeedsOf, OnFailure, ResultOf } from "./canvas.js";
import type { Behind, NeedsOfAll, Partly, ResultsOf, SentOf } from "./fit.js";
import type { Group } from "./group.js";
import { contentOf, contentsOf, groupOf, senderOf, type Content } from "./content.js";
import type { ChordNode, GroupNode } from "./node.js";

/**
 * A group, and a body that gets the array of the members' results in front of its arguments. The
 * chord's result is the body's.
 */
export class Chord<
  out Result = unknown,
  in Needs extends unknown[] = [],
  out Sent extends Handle<Result> = AsyncResult<Result>,
> extends BaseCanvas<Result, Needs, Sent> {
  /** The members of the header, each as a canvas of its own. */
  get tasks(): readonly CanvasPart[] {
    const { node } = this[mark] as Content<ChordNode>;
    return this.partsOf(node.header.members);
  }

  /** The body, as a canvas of its own. */
  get body(): CanvasPart {
    const { node } = this[mark] as Content<ChordNode>;
    return this.partsOf([node.body])[0] as CanvasPart;
  }
}

export interface ChordOptions {
  /**
   * What the body does when members of the header have failed or were revoked. `fail` (default): it
   * fails with the same error, once all have ended. `partial`: it runs, and their values are
   * `null`. If a step before the chord fails, the body fails with that error in both cases.
   */
  readonly onFailure?: OnFailure;
}

type Header = Group<readonly unknown[], never> | readonly AnyCanvas[];
type HeaderResults<H> = H extends readonly unknown[] ? ResultsOf<H> : ResultOf<H>;
type HeaderNeeds<H> = H extends readonly unknown[] ? NeedsOfAll<H> : NeedsOf<H>;
type Values<H, Failing> = Failing extends "partial" ? Partly<HeaderResults<H> & readonly unknown[]> : HeaderResults<H>;

/**
 * Makes a chord: the members of the header run at the same time, then the body runs with their
 * results. A chord without members runs its body with an empty array. Throws `INVALID_OPTION` for a
 * value that is not a canvas, a header that is not a group, and an unknown option.
 */
export function chord<const H extends Header, B extends AnyCanvas, const Failing extends OnFailure = "fail">(
  header: H,
  body: B & Behind<Values<H, Failing>, B>,
  options: { readonly onFailure?: Failing } = {},
): Chord<ResultOf<B>, HeaderNeeds<H>, SentOf<B>> {
  checkOptions(options, { onFailure: isOnFailure }, "of chord()");
  const head = headerOf(header);
  const end = contentOf(body, "the body of chord()");
  const node = { type: "chord", header: head.node, body: end.node, onFailure: options.onFailure ?? "fail" } as const;
  return new Chord({ node, send: senderOf([head, end], "a chord"), depth: Math.max(head.depth, end.depth + 1) });
}

function headerOf(header: unknown): Content<GroupNode> {
  if (Array.isArray(header)) {
    return groupOf(contentsOf(header as unknown[], "the header of chord()"), "the header of a chord");
  }
  const { node, ...others } = contentOf(header, "the header of chord()");
  if (node.type !== "group") refuse("the header of chord()", `a ${node.type}`, "a group, or an array of canvases");
  return { node, ...others };
}

function isOnFailure(value: unknown, option: string): void {
  if (value !== "fail" && value !== "partial") refuse(option, kindOf(value), '"fail" or "partial"');
}
