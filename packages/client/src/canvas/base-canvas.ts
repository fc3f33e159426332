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

/** A part of a canvas, of which the compiler does not know what it needs and what comes of it. */
export type CanvasPart = BaseCanvas<unknown, never, Handle>;

let makePart: ((node: CanvasNode, send: Send | undefined) => CanvasPart) | undefined;

/** @internal Says how the canvas of a node is made: the classes of canvases know this one. */
export function makePartsWith(make: NonNullable<typeof makePart>): void {
  makePart = make;
}

/** What all canvases can do. `Sent` is the handle that sending it gives. */
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
   * The same with these options, which win over those that it has. `taskId` is the id of its result; `countdown` and `eta` are for what begins it; `link` and
   * `linkError` are added, as by `link()` and `onError()`; all others for all its calls. What does not fit is told when it is sent, but for links.
   */
  set(options: CallOptions): this {
    return this.#changed(withOptions(this[mark], options));
  }

  /**
   * The same with something further that runs when it has ended well, and gets its result in front of its arguments, unless it is
   * immutable. Of a group, each member's; of none, nothing. What is linked already is not linked again.
   */
  link(next: Followers<Linked<Result, Sent>>): this {
    return this.#changed(withLinks(this[mark].node, "link", linksOf(next, "what was given to link()", this[mark].send)));
  }

  /**
   * The same with something further that runs when it has failed or was revoked, and gets a `FailureInfo` in front of its arguments, unless it is immutable. Of a chain, for
   * whichever step fails; of a chord, for its body, which fails when members of the header have; of a group, for each member. It is not called when it did not run because
   * something before it has failed. What is linked already is not linked again.
   */
  onError(next: Followers<FailureInfo>): this {
    return this.#changed(withLinks(this[mark].node, "onError", linksOf(next, "what was given to onError()", this[mark].send)));
  }

  /** The same with these headers in all its calls, those of its links included; they win over those that are there. */
  stamp(headers: Readonly<Record<string, Json>>): this {
    isRecord(headers, "what was given to stamp()");
    return this.#changed(withHeaders(this[mark].node, headers));
  }

  /**
   * Sends it, with what it still needs. Each time its calls are others, unless it has a `taskId`. Resolves once the broker has confirmed it. Rejects as the `delay` of a
   * task does; for a group that nothing follows upon with a `PublishError` when only some of its calls were confirmed.
   */
  delay(...first: Needs): Promise<Sent> {
    return this.#send(withFirst(this[mark].node, first));
  }

  /** Sends it with these options beside its own, as `set()` does, and with what it still needs. */
  async applyAsync(options?: CallOptions, ...first: Needs): Promise<Sent> {
    return this.#send(withFirst(withOptions(this[mark], options ?? {}), first));
  }

  /** The same as another object, with these options if any are given, as `set()` has them. */
  clone(options: CallOptions = {}): this {
    return this.set(options);
  }

  /** The canvas for people to read, such as `chain(tasks.add(1, 2), tasks.double())`. Arguments are shown, long ones clipped; options and links are not. */
  toString(): string {
    return printed(this[mark].node);
  }

  /** @internal What `console.log` shows. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  /** Plain data, which JSON can carry: for an argument of a task, which makes a canvas of them again with `app.canvas(data)`. */
  toJSON(): CanvasData {
    return dataOf(this[mark].node);
  }

  /** @internal Canvases of these parts of it. */
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
