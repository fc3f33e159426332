/**
 * Compile-time checks for values that JSON cannot carry. They refuse what the wire refuses, as far
 * as types can tell: a class instance without methods and private fields looks like an object, and
 * so does an `Error`. Values deeper than eight levels are checked on the wire only.
 */

declare const reason: unique symbol;

/** A compile error: this value cannot be sent, for this reason. No value has this type. */
export interface NotJson<Reason extends string> {
  readonly [reason]: Reason;
}

/**
 * `unknown` if JSON can carry the arguments and result of a task whose function is `Run`; else the
 * reason why not.
 */
export type SendableBy<Run extends (...args: never) => unknown> = Run extends (...args: infer Args extends unknown[]) => infer Returned
  ? Verdict<FlawOf<Args, Returned>>
  : unknown;

/** Why JSON cannot carry these arguments of a task, or what it returns; `never` if it can. */
export type FlawOf<Args extends readonly unknown[], Returned> =
  | FlawInArguments<Args>
  | FlawOfUntyped<Args>
  | FlawInResult<Awaited<Returned>>;

type Verdict<Reason extends string> = [Reason] extends [never] ? unknown : NotJson<Reason>;

/** `undefined` is allowed at the end of the arguments, where it is left out. */
type FlawInArguments<Args extends readonly unknown[]> = In<"an argument", Flaw<ElementOf<Args>>>;

type FlawInResult<Result> = In<"the result", Flaw<Result>>;

/** A parameter with neither type nor default, of which the compiler knows nothing. */
type FlawOfUntyped<Args extends readonly unknown[]> = true extends {
  [Place in keyof Args]: [Args[Place]] extends [never] ? true : false;
}[number]
  ? "a parameter needs a type"
  : never;

/** Avoids a template literal of `never`, the common case, which would cost more. */
type In<Place extends string, Reason extends string> = [Reason] extends [never] ? never : `${Place}: ${Reason}`;

/** The number of levels that are checked: each level uses one. */
type Levels = readonly [0, 0, 0, 0, 0, 0, 0, 0];

type Below<Left extends readonly unknown[]> = Left extends readonly [unknown, ...infer Rest] ? Rest : [];

/** Why JSON cannot carry a `Value`; `never` if it can, or if that is unknown. */
type Flaw<Value, Left extends readonly unknown[] = Levels> = unknown extends Value
  ? never
  : Left extends readonly []
    ? never
    : Value extends string | number | boolean | null | undefined | void
      ? never
      : Value extends bigint
        ? "a bigint has no JSON form; send String(value)"
        : Value extends symbol
          ? "a symbol has no JSON form"
          : Value extends Callable
            ? "a function or method has no JSON form; send plain data"
            : Value extends Date
              ? "a Date would lose its class; send date.toISOString() or date.getTime()"
              : Value extends URL
                ? "a URL would lose its class; send url.href"
                : Value extends ReadonlyMap<unknown, unknown>
                  ? "a Map would lose its class; send [...map] or Object.fromEntries(map)"
                  : Value extends ReadonlySet<unknown>
                    ? "a Set would lose its class; send [...set]"
                    : Value extends readonly unknown[]
                      ? FlawInArray<Value, Below<Left>>
                      : FlawInObject<Value, Below<Left>>;

type Callable = ((...args: never) => unknown) | (abstract new (...args: never) => unknown);

type FlawInArray<List extends readonly unknown[], Left extends readonly unknown[]> =
  | Flaw<ElementOf<List>, Left>
  | FlawOfUndefined<ElementOf<List>>;

/** The elements of an array or a tuple; an optional element of a tuple does not add `undefined`. */
type ElementOf<List extends readonly unknown[]> = readonly List[number][] extends Readonly<List> ? List[number] : Required<List>[number];

type FlawOfUndefined<Element> = unknown extends Element
  ? never
  : undefined extends Element
    ? "undefined in an array would become null; send null"
    : never;

/** Private fields are not keys, so a type that is made of the keys lacks them. */
type FlawInObject<Value, Left extends readonly unknown[]> = { [Key in keyof Value]: Value[Key] } extends Value
  ? Flaw<Required<Value>[keyof Value], Left>
  : "an instance of a class would lose its class; send plain data";
