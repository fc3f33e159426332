import type { Json, FailureInfo } from "@bullrush/broker";
import { isRecord } from "../options/check.js";
import type { CallOptions } from "../options/task-options.js";
import { emptyHandle } from "./handles.js";
import type { Handle } from "../result/handle.js";
import { mark } from "../options/link.js";
import type { Canvas, CanvasData, types, Types } from "./canvas.js";
import { dataOf } from "./data.js";
import { withFirst, withHeaders, withLinks, withOptions } from "./edit.js";
import type { Followers, Linked } from "./fit.js";
import { checkDepth, holding, linksOf, type Content } from "./content.js";
import type { CanvasNode, Send } from "./node.js";
import { printed } from "./printed.js";

/** A part of a canvas, with unknown needs and result. */
export type CanvasPart = BaseCanvas<unknown, never, Handle>;

let makePart: ((node: CanvasNode, send: Send | undefined) => CanvasPart) | undefined;

/**
 * @internal Creates the canvas of a node. The classes of canvases import this class, so it is
 * passed in.
 */
export function makePartsWith(make: NonNullable<typeof makePart>): void {
  makePart = make;
}

/** The methods that all canvases share. `Sent` is the handle that sending it returns. */
export abstract class BaseCanvas<out Result, in Needs extends unknown[], out Sent extends Handle<Result>> implements Canvas<Result, Needs> {
  /** @internal */
  readonly [mark]: Content;
  /** @internal */
  declare readonly [types]?: Types<Result, Needs>;

  /** @internal Throws `INVALID_OPTION` for a canvas that is nested deeper than 500 levels. */
  constructor(content: Content) {
    checkDepth(content);
    this[mark] = content;
  }

  /**
   * Returns the canvas with these options, which win over its own. `taskId` is the id of its
   * result. `countdown` and `eta` apply to its first calls. `link` and `linkError` are added, as by
   * `link()` and `onError()`. All other options apply to all its calls. Invalid links throw here;
   * other invalid options reject when it is sent.
   */
  set(options: CallOptions): this {
    return this.#changed(withOptions(this[mark], options));
  }

  /**
   * Returns the canvas with a further link, which runs when it has succeeded and gets its result in
   * front of its arguments, unless the link is immutable. A group links each member; an empty group
   * links nothing. A link that is there already is not added again.
   */
  link(next: Followers<Linked<Result, Sent>>): this {
    return this.#changed(withLinks(this[mark].node, "link", linksOf(next, "what was given to link()", this[mark].send)));
  }

  /**
   * Returns the canvas with a further error link, which runs when it has failed or was revoked, and
   * gets a `FailureInfo` in front of its arguments, unless the link is immutable. In a chain it
   * covers every step; in a chord the body, which fails when members of the header have; in a group
   * each member. It is not called for a task that was skipped because an earlier one failed. A link
   * that is there already is not added again.
   */
  onError(next: Followers<FailureInfo>): this {
    return this.#changed(withLinks(this[mark].node, "onError", linksOf(next, "what was given to onError()", this[mark].send)));
  }

  /**
   * Returns the canvas with these headers in all its calls, those of its links included. They win
   * over existing headers.
   */
  stamp(headers: Readonly<Record<string, Json>>): this {
    isRecord(headers, "what was given to stamp()");
    return this.#changed(withHeaders(this[mark].node, headers));
  }

  /**
   * Sends the canvas, with the arguments that it still needs. Each time its calls get new ids,
   * unless it has a `taskId`. Resolves when the broker has confirmed it. Rejects as the `delay` of
   * a task does; a group without a continuation rejects with a `PublishError` when only some of its
   * calls were confirmed.
   */
  delay(...first: Needs): Promise<Sent> {
    return this.#send(withFirst(this[mark].node, first));
  }

  /**
   * Sends the canvas with these further options, as after `set()`, and with the arguments that it
   * still needs.
   */
  async applyAsync(options?: CallOptions, ...first: Needs): Promise<Sent> {
    return this.#send(withFirst(withOptions(this[mark], options ?? {}), first));
  }

  /** Returns a copy, with these options applied as by `set()`. */
  clone(options: CallOptions = {}): this {
    return this.set(options);
  }

  /**
   * Formats the canvas for people, such as `chain(tasks.add(1, 2), tasks.double())`. Arguments are
   * shown, long ones clipped; options and links are not.
   */
  toString(): string {
    return printed(this[mark].node);
  }

  /** @internal The text that `console.log` shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /**
   * Plain data that JSON can carry, for an argument of a task. `app.canvas(data)` restores the
   * canvas.
   */
  toJSON(): CanvasData {
    return dataOf(this[mark].node);
  }

  /** @internal The canvases of these parts. */
  protected partsOf(nodes: readonly CanvasNode[]): readonly CanvasPart[] {
    return nodes.map((node) => (makePart as NonNullable<typeof makePart>)(node, this[mark].send));
  }

  #changed(node: CanvasNode): this {
    return new (this.constructor as new (content: Content) => this)(holding(node, this[mark].send));
  }

  async #send(node: CanvasNode): Promise<Sent> {
    const { send } = this[mark];
    return (await (send === undefined ? emptyHandle(node) : send(node))) as unknown as Sent;
  }
}
