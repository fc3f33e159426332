import type { Json } from "@bullrush/broker";
import type { Link } from "../options/link.js";
import type { Handle } from "../result/handle.js";

/** @internal What the compiler knows a canvas by. No canvas has it when the program runs. */
export declare const types: unique symbol;

/**
 * Calls that are not sent yet, and how they follow upon each other: a signature, a chain, a group or a chord. Data that never change. `Needs` is what it still wants in
 * front of its arguments: `[]` nothing, `[value: X]` the value of the step before, `[value?: X]` that or nothing, `[ignored?: unknown]` anything, which it ignores.
 */
export interface Canvas<out Result = unknown, in Needs extends unknown[] = []> extends Link {
  /** @internal Never there: what the compiler knows it by. */
  readonly [types]?: Types<Result, Needs>;
  /** Sends it, with what it still needs, and gives the handle on its result. */
  delay(...first: Needs): Promise<Handle<Result>>;
  /** Plain data, which JSON can carry: for an argument of a task, which makes a canvas of them again with `app.canvas(data)`. */
  toJSON(): CanvasData;
}

/** A signature that needs nothing more. `Sent` is the handle on its result. */
export interface SingleCall<out Sent extends Handle = Handle> extends Canvas {
  /** Name of the task. */
  readonly task: string;
  delay(): Promise<Sent>;
}

/** What the compiler knows a canvas by. */
export interface Types<out Result, in Needs extends unknown[]> {
  readonly result: Result;
  readonly needs: (...needs: Needs) => void;
}

/** Any canvas, whatever it needs. */
export type AnyCanvas = Canvas<unknown, never>;

/** What comes of a canvas. */
export type ResultOf<C> = C extends Canvas<infer Result, never> ? Result : never;

/** What a canvas needs. */
export type NeedsOf<C> = C extends { readonly [types]?: { readonly needs: (...needs: infer Needs extends unknown[]) => void } }
  ? Needs
  : never;

/** What a canvas needs that takes nothing from the step before. */
export type Ignores = [ignored?: unknown];

/** A canvas as plain data. */
export type CanvasData = CallData | ChainData | GroupData | ChordData;

export type CallData = {
  readonly type: "call";
  /** Name of the task. */
  readonly task: string;
  readonly args: readonly Json[];
  /** Takes nothing from the step before. */
  readonly immutable?: true;
  /** `args` are lists of arguments, one for each of several runs. */
  readonly each?: true;
  /** Options of the call; a `Date` is its ISO string. */
  readonly options?: { readonly [option: string]: Json };
  /** What gets the result. */
  readonly link?: readonly CanvasData[];
  /** What gets the reason when there is none. */
  readonly onError?: readonly CanvasData[];
};

export type ChainData = {
  readonly type: "chain";
  readonly steps: readonly CanvasData[];
  /** What gets the reason when a step has failed. */
  readonly onError?: readonly CanvasData[];
};

export type GroupData = {
  readonly type: "group";
  /** UUID, where the caller gave one. */
  readonly id?: string;
  readonly members: readonly CanvasData[];
};

export type ChordData = {
  readonly type: "chord";
  readonly header: GroupData;
  readonly body: CanvasData;
  readonly onFailure: OnFailure;
};

/** What becomes of a chord when members of its header have failed. `fail`: it has failed too. `partial`: their values are `null`. */
export type OnFailure = "fail" | "partial";
