import { note, type Failure } from "./failure.js";

/** Longest failure that a message takes along, in characters of JSON. */
const maxCarried = 4096;

/** What is left of a failure, each time less: the longest texts of its own and of its causes and parts, the most parts, and whether its fields and its causes go along. */
const cuts = [
  { message: 1000, stack: 2000, inner: 1000, parts: 10, fields: true, causes: true },
  { message: 1000, stack: 2000, inner: 300, parts: 5, fields: false, causes: true },
  { message: 1000, stack: 500, inner: 100, parts: 5, fields: false, causes: true },
  { message: 1000, stack: 2000, inner: 0, parts: 0, fields: false, causes: false },
  { message: 500, stack: 0, inner: 0, parts: 0, fields: false, causes: false },
] as const;

type Cut = (typeof cuts)[number];

/**
 * `failure` as the message of the next attempt takes it along: whole if it is short, else its texts cut, and its causes and parts without stacks; less and less
 * of these until it is short.
 */
export function carriedFailure(failure: Failure): Failure {
  if (isShort(failure)) return failure;
  let carried = failure;
  for (const cut of cuts) {
    carried = carriedBy(cut, failure);
    if (isShort(carried)) break;
  }
  return carried;
}

function isShort(failure: Failure): boolean {
  return JSON.stringify(failure).length <= maxCarried;
}

function carriedBy(cut: Cut, { name, message, code, stack, cause, errors, fields }: Failure): Failure {
  return {
    name,
    message: message.slice(0, cut.message),
    ...(code !== undefined && { code }),
    ...(stack !== undefined && cut.stack > 0 && { stack: stack.slice(0, cut.stack) }),
    ...(errors !== undefined && cut.parts > 0 && { errors: partsBy(cut, errors) }),
    ...(fields !== undefined && cut.fields && { fields }),
    ...(cause !== undefined && cut.causes && { cause: innerBy(cut, cause) }),
  };
}

function innerBy(cut: Cut, { name, message, code, cause, errors }: Failure): Failure {
  return {
    name,
    message: message.slice(0, cut.inner),
    ...(code !== undefined && { code }),
    ...(errors !== undefined && { errors: partsBy(cut, errors) }),
    ...(cause !== undefined && { cause: innerBy(cut, cause) }),
  };
}

function partsBy(cut: Cut, errors: readonly Failure[]): readonly Failure[] {
  const kept = errors.slice(0, cut.parts).map((part) => innerBy(cut, part));
  return errors.length > cut.parts ? [...kept, note("more errors were left out")] : kept;
}
