import { Signature } from "../task/signature.js";
import type { Ignores } from "./canvas.js";
import { Chain } from "./chain.js";
import { Chord } from "./chord.js";
import { Group } from "./group.js";
import type { Content, Handle } from "./node.js";

/** A canvas of which nobody knows what it is. */
export type SomeCanvas<Result = unknown> =
  | Signature<Result, Ignores>
  | Chain<Result, Ignores, Handle>
  | Group<readonly unknown[], Ignores>
  | Chord<Result, Ignores, Handle>;

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
