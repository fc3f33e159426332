import { kindOf, refuse } from "./check.js";

/** Which errors match: those of a class, or those for which a function returns `true`. */
export type ErrorMatch = ErrorClass | ((error: unknown) => boolean);

type ErrorClass = abstract new (...args: never[]) => Error;

/** Whether `error` matches. Throws what a function of `match` throws. */
export function matchesError(error: unknown, match: ErrorMatch | readonly ErrorMatch[] = []): boolean {
  const matches = typeof match === "function" ? [match] : match;
  return matches.some((one) => {
    const answer: unknown = isClass(one) ? isInstance(error, one) : one(error);
    // A promise, from an async function, is no match.
    return answer === true;
  });
}

/** A thrown proxy may itself throw when it is inspected. */
function isInstance(error: unknown, match: ErrorClass): boolean {
  try {
    return error instanceof match;
  } catch {
    return false;
  }
}

export function isErrorMatch(value: unknown, option: string): void {
  const expected = "an error class, a function that gives true or false, or an array of these";
  for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
    if (typeof one !== "function") refuse(option, Array.isArray(value) ? `an array with ${kindOf(one)}` : kindOf(one), expected);
  }
}

/**
 * Whether it is a constructor: a `class`, whose prototype cannot be replaced, or a function whose
 * prototype is an error.
 */
function isClass(match: ErrorMatch): match is ErrorClass {
  if (match.prototype instanceof Error) return true;
  return Object.getOwnPropertyDescriptor(match, "prototype")?.writable === false;
}
