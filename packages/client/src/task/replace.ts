import { BullrushError } from "@bullrush/broker";
import type { Canvas } from "../canvas/canvas.js";
import { contentOf } from "../canvas/content.js";
import { givenId } from "../canvas/edit.js";
import { refuse } from "../options/check.js";

const mark = Symbol.for("bullrush.replace");

/** Thrown by `this.replace()`, for the worker. The task's code must not catch it. */
export class Replace extends BullrushError<"REPLACEMENT_REQUESTED"> {
  override name = "Replace";
  /** @internal Marks these errors, whichever copy of this package created them. */
  readonly [mark] = true;
  /** The canvas that replaces the task. */
  readonly canvas: Canvas;

  /**
   * @internal Throws `INVALID_OPTION` for a value that is not a canvas, and for one with a
   * `taskId`.
   */
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
