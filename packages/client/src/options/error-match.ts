import { kindOf, refuse } from "./check.js";

/** Which errors are meant: those of a class, or those for which a function gives `true`. */
export type ErrorMatch = ErrorClass | ((error: unknown) => boolean);

type ErrorClass = abstract new (...args: never[]) => Error;

/** Whether `error` is one of those that are meant. Throws what a function of `match` throws. */
export function matchesError(error: unknown, match: ErrorMatch | readonly ErrorMatch[] = []): boolean {
  const matches = typeof match === "function" ? [match] : match;
  return matches.some((one) => {
    const answer: unknown = isClass(one) ? isInstance(error, one) : one(error);
    // Not so the promise of an async function, whatever it comes to.
    return answer === true;
  });
}

/** A thrown proxy may throw when it is asked. */
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

/** A class as such, whether or not it is an error's, has a prototype that cannot be replaced; one that was made from a function, the prototype of an error. */
function isClass(match: ErrorMatch): match is ErrorClass {
  if (match.prototype instanceof Error) return true;
  return Object.getOwnPropertyDescriptor(match, "prototype")?.writable === false;
}
