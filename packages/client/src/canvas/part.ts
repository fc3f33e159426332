import type { Target } from "@bullrush/broker";
import type { CanvasNode } from "./node.js";
import type { Trace } from "./plan.js";
import type { Watch } from "./watch.js";

/**
 * A planned part of a canvas: the targets that reach it, and the handles of its first and last
 * calls.
 */
export interface Part {
  readonly entries: readonly Target[];
  readonly first: Trace;
  readonly last: Trace;
}

/** The surroundings of a part. */
export interface Context {
  /** The targets of its value. */
  readonly targets: readonly Target[];
  /** Whether it gets a value. */
  readonly fed: boolean;
  readonly groupId: string | undefined;
  readonly hasHandle: boolean;
  /** Whether its value is that of the whole canvas. */
  readonly isResult: boolean;
  /** Error links of the parts around it, which stand at its last calls. */
  readonly watches: readonly Watch[];
  /** Error links that are notified of its failures elsewhere. */
  readonly notified: readonly CanvasNode[];
}

/** The links of a call are outside of the parts that contain the call. */
export const linkContext: Context = {
  targets: [],
  fed: true,
  groupId: undefined,
  hasHandle: false,
  isResult: false,
  watches: [],
  notified: [],
};
