import type { Target } from "@bullrush/broker";
import type { CanvasNode } from "./node.js";
import type { Trace } from "./plan.js";
import type { Watch } from "./watch.js";

/** A part of a canvas: how to reach it, and the handles of what begins and of what ends it. */
export interface Part {
  readonly entries: readonly Target[];
  readonly first: Trace;
  readonly last: Trace;
}

/** Where a part stands. */
export interface Context {
  /** Where its value goes. */
  readonly targets: readonly Target[];
  /** Whether a value comes to it. */
  readonly fed: boolean;
  readonly groupId: string | undefined;
  readonly hasHandle: boolean;
  /** Whether its value is that of the whole canvas. */
  readonly isResult: boolean;
  /** Error links of what is around it, which stand at what ends it. */
  readonly watches: readonly Watch[];
  /** Error links that are notified of its failures elsewhere. */
  readonly notified: readonly CanvasNode[];
}

/** The links of a call are apart from what the call is part of. */
export const linkContext: Context = {
  targets: [],
  fed: true,
  groupId: undefined,
  hasHandle: false,
  isResult: false,
  watches: [],
  notified: [],
};
