import { BullrushError } from "@bullrush/broker";
import type { Canvas } from "../canvas/canvas.js";
import { contentOf } from "../canvas/content.js";

const mark = Symbol.for("bullrush.replace");

/** What `this.replace()` throws, for the worker to see. Code of the task that catches it has to let it pass. */
export class Replace extends BullrushError<"REPLACEMENT_REQUESTED"> {
  override name = "Replace";
  /** @internal How it is told from other errors, whichever copy of this package made it. */
  readonly [mark] = true;
  /** What runs in the task's place. */
  readonly canvas: Canvas;

  /** @internal Throws `INVALID_OPTION` for what is no canvas. */
  constructor(task: string, canvas: Canvas) {
    super("REPLACEMENT_REQUESTED", { task });
    contentOf(canvas, `what was given to this.replace() in ${task}`);
    this.canvas = canvas;
  }
}

/** @internal Whether `error` was thrown by `this.replace()`. */
export function isReplace(error: unknown): error is Replace {
  return error instanceof BullrushError && mark in error;
}
