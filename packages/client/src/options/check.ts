import {
  BullrushError,
  checkQueueName,
  checkTaskId,
  lastTime,
  maxTimerDelay,
  toMilliseconds,
  type Duration,
  indefinite,
  typeOf,
} from "@bullrush/broker";

/** Throws `INVALID_OPTION`, naming `option`, for a value that does not fit. */
export type Check = (value: unknown, option: string) => void;

/**
 * Checks each option that is not `undefined`. Throws `INVALID_OPTION` for an unknown one: a
 * misspelt option would have no effect, silently.
 * @param where what errors append to the name of an option
 */
export function checkOptions(given: unknown, checks: Readonly<Record<string, Check>>, where: string): void {
  isRecord(given, `what was given for the options ${where}`);
  for (const [name, value] of Object.entries(given as object)) {
    const option = `"${name}" ${where}`;
    const check = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (check === undefined) refuse(option, "unknown", `one of ${Object.keys(checks).join(", ")}`);
    else if (value !== undefined) check(value, option);
  }
}

export function isText(value: unknown, option: string): void {
  if (typeof value !== "string") refuse(option, kindOf(value), "a string");
}

export function isName(value: unknown, option: string): void {
  if (typeof value !== "string" || value === "") refuse(option, value === "" ? "empty" : kindOf(value), "a name");
}

/** Throws `INVALID_QUEUE_NAME` for a name that no queue may have. */
export function isQueue(value: unknown, option: string): void {
  isName(value, option);
  checkQueueName(value);
}

/** Throws `INVALID_TASK_ID`. */
export function isId(value: unknown): void {
  checkTaskId(value);
}

export function isSignal(value: unknown, option: string): void {
  if (!(value instanceof AbortSignal)) refuse(option, kindOf(value), "an AbortSignal");
}

export function isFlag(value: unknown, option: string): void {
  if (typeof value !== "boolean") refuse(option, kindOf(value), "true or false");
}

export function isPriority(value: unknown, option: string): void {
  const fits = Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 9;
  if (!fits) refuse(option, typeof value === "number" ? String(value) : kindOf(value), "a whole number from 0 (first) to 9");
}

export function isCount(value: unknown, option: string): void {
  const fits = Number.isSafeInteger(value) && (value as number) >= 1;
  if (!fits) refuse(option, typeof value === "number" ? String(value) : kindOf(value), "a whole number from 1");
}

/** A number of retries; `null` and `Infinity` mean no limit. */
export function isRetryLimit(value: unknown, option: string): void {
  const fits = value === null || value === Infinity || (Number.isSafeInteger(value) && (value as number) >= 0);
  if (!fits) refuse(option, typeof value === "number" ? String(value) : kindOf(value), "a whole number from 0, or null for ever");
}

export function isBackoff(value: unknown, option: string): void {
  if (typeof value !== "boolean") isLifetime(value, option);
}

export function isDelivery(value: unknown, option: string): void {
  if (value !== "at-least-once" && value !== "at-most-once") refuse(option, kindOf(value), "at-least-once or at-most-once");
}

/** A number of bytes; `Infinity` is allowed. */
export function isSize(value: unknown, option: string): void {
  const fits = typeof value === "number" && value >= 1;
  if (!fits) refuse(option, typeof value === "number" ? String(value) : kindOf(value), "a number of bytes from 1");
}

export function isDuration(value: unknown, option: string): void {
  toMilliseconds(value as Duration, option);
}

/** A duration of at least 1 ms, the minimum TTL of a key in Redis. */
export function isLifetime(value: unknown, option: string): void {
  const lifetime = toMilliseconds(value as Duration, option);
  if (lifetime < 1) refuse(option, `${lifetime} ms`, "at least 1 ms");
}

/** A duration for which a timer can be set. */
export function isTimeLimit(value: unknown, option: string): void {
  const limit = toMilliseconds(value as Duration, option);
  if (limit < 1 || limit > maxTimerDelay) refuse(option, `${limit} ms`, "1 ms to 24 days");
}

export function isDate(value: unknown, option: string): void {
  if (!(value instanceof Date)) refuse(option, kindOf(value), "a Date");
  if (Number.isNaN(value.getTime())) refuse(option, "an invalid Date", "a valid one");
  if (value.getTime() > lastTime) refuse(option, value.toISOString(), "a Date up to the year 9999");
}

/** An IANA time zone that this Node knows. */
export function isTimeZone(value: unknown, option: string): void {
  isName(value, option);
  try {
    Intl.DateTimeFormat("en", { timeZone: value as string });
  } catch {
    refuse(option, JSON.stringify((value as string).slice(0, 80)), 'a time zone such as "UTC" or "Europe/Berlin"');
  }
}

export function isList(value: unknown, option: string): void {
  if (!Array.isArray(value)) refuse(option, kindOf(value), "an array");
}

export function isRecord(value: unknown, option: string): void {
  if (Object.prototype.toString.call(value) !== "[object Object]") refuse(option, kindOf(value), "an object");
}

/**
 * Throws `INVALID_OPTION` with the text that `option` is `got`. `got` must not be a value that may
 * be a payload or a password.
 */
export function refuse(option: string, got: string, expected: string): never {
  throw new BullrushError("INVALID_OPTION", { option, got, expected });
}

/**
 * The type of an invalid value, for errors. The value itself may be a payload, passed by mistake.
 */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value !== "object") return typeOf(value);
  const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
  return ["Array", "Object"].includes(kind) ? indefinite(kind.toLowerCase()) : indefinite(kind);
}
