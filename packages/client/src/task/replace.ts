import { BullrushError } from "@bullrush/broker";
import type { Canvas } from "../canvas/canvas.js";
import { contentOf } from "../canvas/content.js";
import { givenId } from "../canvas/edit.js";
import { refuse } from "../options/check.js";

const mark = Symbol.for("bullrush.replace");

/** What `this.replace()` throws, for the worker to see. Code of the task that catches it has to let it pass. */
export class Replace extends BullrushError<"REPLACEMENT_REQUESTED"> {
  override name = "Replace";
  /** @internal How it is told from other errors, whichever copy of this package made it. */
  readonly [mark] = true;
  /** What runs in the task's place. */
  readonly canvas: Canvas;

  /** @internal Throws `INVALID_OPTION` for what is no canvas, and for one that was given a `taskId`. */
  constructor(task: string, canvas: Canvas) {
    super("REPLACEMENT_REQUESTED", { task });
    const place = `what was given to this.replace() in ${task}`;
    const { node } = contentOf(canvas, place);
    if (givenId(node) !== undefined) refuse(place, "a canvas with a taskId", "one without: its result is that of the task");
    this.canvas = canvas;
  }
}

/** @internal Whether `error` was thrown by `this.replace()`. */
export function isReplace(error: unknown): error is Replace {
  return error instanceof BullrushError && mark in error;
}
