import type { AsyncResult } from "../result/async-result.js";
import type { GroupResult } from "../result/group-result.js";
import { Signature } from "../task/signature.js";
import type { Ignores } from "./canvas.js";
import { Chain } from "./chain.js";
import { Chord } from "./chord.js";
import { Group } from "./group.js";
import { holding } from "./content.js";
import type { CanvasNode, Send } from "./node.js";

/** A handle of which nobody knows whether it is on a group. */
type SomeHandle<Result> = AsyncResult<Result> | GroupResult<Result & readonly unknown[]>;

/** A canvas of which nobody knows what it is. */
export type SomeCanvas<Result = unknown> =
  | Signature<Result, Ignores>
  | Chain<Result, Ignores, SomeHandle<Result>>
  | Group<readonly unknown[], Ignores>
  | Chord<Result, Ignores, SomeHandle<Result>>;

/** The canvas of `node`, which `send` sends. Throws `INVALID_OPTION` for one that is nested too deep. */
export function canvasOf(node: CanvasNode, send: Send): SomeCanvas {
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
