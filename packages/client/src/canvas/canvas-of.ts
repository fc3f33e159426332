import type { AsyncResult } from "../result/async-result.js";
import type { GroupResult } from "../result/group-result.js";
import { Signature } from "../task/signature.js";
import type { Ignores } from "./canvas.js";
import { Chain } from "./chain.js";
import { Chord } from "./chord.js";
import { Group } from "./group.js";
import type { Content } from "./node.js";

/** A handle of which nobody knows whether it is on a group. */
type SomeHandle<Result> = AsyncResult<Result> | GroupResult<Result & readonly unknown[]>;

/** A canvas of which nobody knows what it is. */
export type SomeCanvas<Result = unknown> =
  | Signature<Result, Ignores>
  | Chain<Result, Ignores, SomeHandle<Result>>
  | Group<readonly unknown[], Ignores>
  | Chord<Result, Ignores, SomeHandle<Result>>;

/** The canvas that holds `content`. */
export function canvasOf({ node, send }: Content): SomeCanvas {
  switch (node.type) {
    case "call":
      return new Signature({ node, send });
    case "chain":
      return new Chain({ node, send });
    case "group":
      return new Group({ node, send });
    case "chord":
      return new Chord({ node, send });
  }
}
