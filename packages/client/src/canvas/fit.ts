import type { AsyncResult } from "../result/async-result.js";
import type { GroupResult } from "../result/group-result.js";
import type { Handle } from "../result/handle.js";
import type { Canvas, Ignores, NeedsOf, ResultOf } from "./canvas.js";

/** The arguments that a signature may have: all, or all but the first. */
export type PartialArgs<Args extends unknown[]> = Args | Others<Args>;

/** The needs of a signature with the arguments `Given`. */
export type Open<Args extends unknown[], Given extends unknown[]> = Given extends Args
  ? Given extends Others<Args>
    ? [value?: Args[0]]
    : []
  : [value: Args[0]];

type Others<Args extends unknown[]> = Args["length"] extends 0
  ? never
  : ((...args: Args) => void) extends (first: never, ...others: infer Rest) => void
    ? Rest
    : never;

/** The argument of a task that takes at most one. */
export type OnlyOne<Args extends unknown[]> = [Args[0]] extends Args ? Args[0] : never;

/** The results of a group's members, in order. */
export type ResultsOf<Members extends readonly unknown[]> = { -readonly [Place in keyof Members]: ResultOf<Members[Place]> };

/** `Results`, each of which may be missing. */
export type Partly<Results extends readonly unknown[]> = { [Place in keyof Results]: Results[Place] | null };

/** The needs of all members of a group: each gets the value that the group gets. */
export type NeedsOfAll<Members extends readonly unknown[]> = Members["length"] extends 0 ? Ignores : Merged<Boxed<Members[number]>>;

/** A union of the needs of `Canvases`, each in a box, since a need may be a union itself. */
type Boxed<Canvases> = Canvases extends unknown ? [needs: NeedsOf<Canvases>] : never;

type Merged<Boxes> =
  MayStart<Boxes> extends true
    ? MayTake<Boxes> extends true
      ? [value?: Common<Boxes>]
      : []
    : MayTake<Boxes> extends true
      ? [value: Common<Boxes>]
      : never;

/** Whether each can run without a value. */
type MayStart<Boxes> = [Boxes extends [infer Needs] ? ([] extends Needs ? never : "not") : never] extends [never] ? true : false;

/** Whether each can take one value. */
type MayTake<Boxes> = [Boxes extends [infer Needs extends unknown[]] ? (Needs["length"] extends 0 ? "not" : never) : never] extends [never]
  ? true
  : false;

/** The values that each accepts. */
type Common<Boxes> = (Boxes extends [infer Needs] ? (value: FirstOf<Needs>) => void : never) extends (value: infer Value) => void
  ? Value
  : never;

type FirstOf<Needs> = Needs extends readonly [] ? never : Needs extends readonly unknown[] ? Needs[0] : never;

declare const misfit: unique symbol;

/** A compile error: this step does not fit after the one before it. No value has this type. */
export interface Misfit<Reason extends string, Before, Takes> {
  readonly [misfit]: readonly [reason: Reason, before: Before, takes: Takes];
}

/** `Step` if it accepts `Value`, else the reason why not. */
export type Behind<Value, Step> =
  [Value] extends NeedsOf<Step>
    ? Step
    : [NeedsOf<Step>] extends [[]]
      ? Misfit<"all its arguments are given: use si(), or leave the first one to the step before", Value, "nothing">
      : Misfit<"the step before gives another type than this step takes", Value, FirstOf<NeedsOf<Step>>>;

/**
 * As `Behind`, for a step of an array. It may be immutable, of which a declaration such as
 * `Canvas<number>[]` says only that it has all its arguments.
 */
type BehindAny<Value, Step> = [NeedsOf<Step>] extends [[]] ? Step : Behind<Value, Step>;

declare const empty: unique symbol;

/** The result of a chain without steps: nobody has a handle on it. */
export interface NoSteps extends AsyncResult<never> {
  /** @internal Never there. */
  readonly [empty]: true;
}

/** Whether `C` is a chain without steps. */
type IsUnbegun<C> = [SentOf<C>] extends [NoSteps] ? true : false;

/**
 * `Steps` if each fits after the one before. Else the steps that fit, and for the others the reason
 * why not.
 */
export type Checked<Steps extends readonly unknown[]> = Steps extends Fitting<Steps> ? Steps : Fitting<Steps>;

type Fitting<Steps extends readonly unknown[]> = Steps extends readonly [infer First, ...infer Others]
  ? readonly [First, ...(IsUnbegun<First> extends true ? Fitting<Others> : FittingBehind<ResultOf<First>, Others>)]
  : Steps extends readonly []
    ? readonly []
    : readonly BehindAny<ResultOf<Steps[number]>, Steps[number]>[];

type FittingBehind<Value, Steps extends readonly unknown[], Done extends readonly unknown[] = []> = number extends Steps["length"]
  ? [...Done, ...{ [Place in keyof Steps]: BehindAny<Value | ResultOf<Steps[number]>, Steps[Place]> }]
  : Steps extends readonly [infer Step, ...infer Others]
    ? IsUnbegun<Step> extends true
      ? FittingBehind<Value, Others, [...Done, Step]>
      : FittingBehind<ResultOf<Step>, Others, [...Done, Behind<Value, Step>]>
    : Done;

/** A chain without steps. */
type Unbegun = Canvas<never, Ignores> & { delay(...first: Ignores): Promise<NoSteps> };

/** The last of `Steps` that is not a chain without steps. */
export type Last<Steps extends readonly unknown[]> = Steps extends readonly []
  ? Unbegun
  : Steps extends readonly [...infer Others, infer Step]
    ? IsUnbegun<Step> extends true
      ? Last<Others>
      : Step
    : Steps[number];

/** The needs of the first of `Steps` that is not a chain without steps. */
export type NeedsOfFirst<Steps extends readonly unknown[]> = Steps extends readonly []
  ? Ignores
  : Steps extends readonly [infer First, ...infer Others]
    ? IsUnbegun<First> extends true
      ? NeedsOfFirst<Others>
      : NeedsOf<First>
    : NeedsOf<Steps[0]>;

/** One canvas or several that accept a value. */
export type Followers<Value> = Canvas<unknown, [value: Value]> | readonly Canvas<unknown, [value: Value]>[];

/**
 * The value that a link of a canvas gets whose handle is `Sent`: for a group, the result of one
 * member.
 */
export type Linked<Result, Sent> = Sent extends GroupResult<infer Results> ? Results[number] : Result;

/** The handle that sending a canvas gives. */
export type SentOf<C> = C extends { delay(...first: never): Promise<infer Sent extends Handle<ResultOf<C>>> } ? Sent : Handle<ResultOf<C>>;
