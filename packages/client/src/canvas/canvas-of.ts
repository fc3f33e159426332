import type { AsyncResult } from "../result/async-result.js";
import type { GroupResult } from "../result/group-result.js";
import type { Handle } from "../result/handle.js";
import { Signature } from "./signature.js";
import type { Ignores } from "./canvas.js";
import { Chain } from "./chain.js";
import { Chord } from "./chord.js";
import { Group } from "./group.js";
import { makePartsWith } from "./base-canvas.js";
import { holding } from "./content.js";
import type { CanvasNode, Send } from "./node.js";

/** The result type of a group. */
type ArraysIn<Result> = unknown extends Result ? readonly unknown[] : Extract<Result, readonly unknown[]>;

/** A handle on a task or a group. */
export type SomeHandle<Result = unknown> = AsyncResult<Result> | ([ArraysIn<Result>] extends [never] ? never : GroupHandle<Result>);

type GroupHandle<Result> = GroupResult<ArraysIn<Result>> extends infer Of extends Handle<Result> ? Of : never;

/** A canvas of any kind. */
export type SomeCanvas<Result = unknown> =
  | Signature<Result, Ignores>
  | Chain<Result, Ignores, SomeHandle<Result>>
  | ([ArraysIn<Result>] extends [never] ? never : Group<ArraysIn<Result>, Ignores>)
  | Chord<Result, Ignores, SomeHandle<Result>>;

/**
 * The canvas of `node`, sent by `send`. Throws `INVALID_OPTION` for one that is nested too deeply.
 */
export function canvasOf(node: CanvasNode, send: Send | undefined): SomeCanvas {
  switch (node.type) {
    case "call":
      return new Signature(holding(node, send));
    case "chain":
      return new Chain(holding(node, send));
    case "group":
      return new Group(holding(node, send));
    case "chord":
      return new Chord(holding(node, send));
  }
}

makePartsWith(canvasOf);
