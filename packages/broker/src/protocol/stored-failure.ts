import { clip } from "../errors/clip.js";
import { failureLimits as limits, type Failure } from "./failure.js";
import { fieldsOf } from "./failure-fields.js";

/** Whether decoded `value` is a failure in wire form. */
export function isFailure(value: unknown): value is Failure {
  return isFailureWithin(value, 1, { parts: 2 * limits.allParts });
}

/** @param left the parts that may still come, over all of it */
function isFailureWithin(value: unknown, depth: number, left: { parts: number }): boolean {
  if (typeof value !== "object" || value === null || depth > limits.depth) return false;
  const { name, message, code, stack, cause, errors, fields } = value as Partial<Record<string, unknown>>;
  return (
    typeof name === "string" &&
    typeof message === "string" &&
    (isTextOrAbsent(code) || typeof code === "number") &&
    isTextOrAbsent(stack) &&
    (fields === undefined || (typeof fields === "object" && fields !== null && !Array.isArray(fields))) &&
    (cause === undefined || isFailureWithin(cause, depth + 1, left)) &&
    (errors === undefined || arePartsWithin(errors, depth, left))
  );
}

/** The parts of a failure of the deepest level are only counted, by a note that has no parts of its own. */
function arePartsWithin(errors: unknown, depth: number, left: { parts: number }): boolean {
  if (!Array.isArray(errors)) return false;
  left.parts -= errors.length;
  return left.parts >= 0 && errors.every((part: unknown) => isFailureWithin(part, Math.min(depth + 1, limits.depth), left));
}

function isTextOrAbsent(text: unknown): boolean {
  return text === undefined || typeof text === "string";
}

/** A decoded failure, no longer than one that is written; the same one if it fits. */
export function clippedFailure(failure: Failure): Failure {
  return clippedBy(limits.message, failure);
}

function clippedBy(maxMessage: number, failure: Failure): Failure {
  const { name, message, code, stack, cause, errors, fields } = failure;
  const clipped = {
    name: clip(name, limits.name),
    message: clip(message, maxMessage),
    code: typeof code === "string" ? clip(code, limits.name) : code,
    stack: stack === undefined ? undefined : clip(stack, limits.stack),
    cause: cause && clippedBy(maxMessage, cause),
    errors: errors && partsOf(errors),
    fields: fields && fieldsOf(fields),
  };
  const kept = Object.entries(clipped).filter(([, value]) => value !== undefined);
  const fits = kept.every(([key, value]) => value === failure[key as keyof Failure]);
  return fits ? failure : (Object.fromEntries(kept) as unknown as Failure);
}

/** One more than the most parts that are written: the note behind them. */
function partsOf(errors: readonly Failure[]): readonly Failure[] {
  const parts = errors.slice(0, limits.parts + 1).map((part) => clippedBy(limits.partMessage, part));
  return parts.length === errors.length && parts.every((part, index) => part === errors[index]) ? errors : parts;
}
