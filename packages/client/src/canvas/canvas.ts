import type { Json } from "@bullrush/broker";
import type { Link } from "../options/link.js";
import type { Handle } from "../result/handle.js";

/** @internal Carries the types of a canvas. No canvas has it at run time. */
export declare const types: unique symbol;

/**
 * Calls that are not sent yet, and their order: a signature, a chain, a group or a chord.
 * Immutable. `Needs` are the arguments that it still takes in front of its own: `[]` none,
 * `[value: X]` the result of the step before, `[value?: X]` that or none, `[ignored?: unknown]`
 * anything, which it ignores.
 */
export interface Canvas<out Result = unknown, in Needs extends unknown[] = []> extends Link {
  /** @internal Carries the types; never set. */
  readonly [types]?: Types<Result, Needs>;
  /**
   * Sends the canvas, with the arguments that it still needs, and returns the handle on its result.
   */
  delay(...first: Needs): Promise<Handle<Result>>;
  /**
   * Plain data that JSON can carry, for an argument of a task. `app.canvas(data)` restores the
   * canvas.
   */
  toJSON(): CanvasData;
}

/** A signature that has all its arguments. `Sent` is the handle on its result. */
export interface SingleCall<out Sent extends Handle = Handle> extends Canvas {
  /** Name of the task. */
  readonly task: string;
  delay(): Promise<Sent>;
}

/** The types that a canvas carries. */
export interface Types<out Result, in Needs extends unknown[]> {
  readonly result: Result;
  readonly needs: (...needs: Needs) => void;
}

/** Any canvas, whatever it needs. */
export type AnyCanvas = Canvas<unknown, never>;

/** The result type of a canvas. */
export type ResultOf<C> = C extends Canvas<infer Result, never> ? Result : never;

/** The needs of a canvas. */
export type NeedsOf<C> = C extends { readonly [types]?: { readonly needs: (...needs: infer Needs extends unknown[]) => void } }
  ? Needs
  : never;

/** The needs of a canvas that takes nothing from the step before. */
export type Ignores = [ignored?: unknown];

/** A canvas as plain data. */
export type CanvasData = CallData | ChainData | GroupData | ChordData;

export type CallData = {
  readonly type: "call";
  /** Name of the task. */
  readonly task: string;
  readonly args: readonly Json[];
  /** Whether it takes nothing from the step before. */
  readonly immutable?: true;
  /** Whether `args` is a list of argument lists, one for each run. */
  readonly each?: true;
  /** Options of the call; a `Date` is an ISO string. */
  readonly options?: { readonly [option: string]: Json };
  /** Links, which get the result. */
  readonly link?: readonly CanvasData[];
  /** Error links, which get the failure. */
  readonly onError?: readonly CanvasData[];
};

export type ChainData = {
  readonly type: "chain";
  readonly steps: readonly CanvasData[];
  /** Error links, which get the failure of a step. */
  readonly onError?: readonly CanvasData[];
};

export type GroupData = {
  readonly type: "group";
  /** UUID, if the caller chose one. */
  readonly id?: string;
  readonly members: readonly CanvasData[];
};

export type ChordData = {
  readonly type: "chord";
  readonly header: GroupData;
  readonly body: CanvasData;
  readonly onFailure: OnFailure;
};

/**
 * What a chord does when members of its header have failed. `fail`: it fails too. `partial`: their
 * values are `null`.
 */
export type OnFailure = "fail" | "partial";
