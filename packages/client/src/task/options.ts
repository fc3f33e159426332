import { BullrushError, toMilliseconds, type Duration, type Json } from "@bullrush/broker";

/** What can be said both where a task is declared and where it is called; the call wins. */
export interface SharedOptions {
  /** Queue to send to, whatever the routes say. */
  readonly queue?: string;
  /** Exchange to send to, which finds the queues by the routing key. */
  readonly exchange?: string;
  /** Default: the task's name. */
  readonly routingKey?: string;
  /** 0 (first, the default) to 9, within a queue. */
  readonly priority?: number;
  /** Store no result: `get()` then gives `undefined` at once. Default: false. */
  readonly ignoreResult?: boolean;
}

/** Options of a task, for all its calls. */
export interface TaskOptions extends SharedOptions {
  /** A message that is older than this when it is taken is revoked instead of run. Default: none. */
  readonly expires?: Duration;
  /** How long its results are kept. Default: the app's `resultExpires`, one day. */
  readonly resultExpires?: Duration;
}

/** Options of one call. */
export interface CallOptions extends SharedOptions {
  /** Run after this time at the earliest. Not together with `eta`. */
  readonly countdown?: Duration;
  /** Run at this time at the earliest. */
  readonly eta?: Date;
  /** Revoke instead of run from this time on, or this long after the call. */
  readonly expires?: Duration | Date;
  /** The id, a UUID. Default: a fresh one. A task whose id has a result already does not run again. */
  readonly taskId?: string;
  /** Sent along, free to use. What JSON can carry. */
  readonly headers?: Readonly<Record<string, Json>>;
}

type Check = (value: unknown, option: string) => void;

const shared: Record<keyof SharedOptions, Check> = {
  queue: isText,
  exchange: isText,
  routingKey: isText,
  priority: isPriority,
  ignoreResult: isFlag,
};

const taskChecks: Record<keyof TaskOptions, Check> = { ...shared, expires: isDuration, resultExpires: isDuration };

const callChecks: Record<keyof CallOptions, Check> = {
  ...shared,
  countdown: isDuration,
  eta: isDate,
  expires: (value, option) => (value instanceof Date ? isDate(value, option) : isDuration(value, option)),
  taskId: isText,
  headers: isRecord,
};

/** Throws `INVALID_OPTION` for an option that does not exist or whose value does not fit. */
export function checkTaskOptions(task: string, options: TaskOptions): void {
  check(options, taskChecks, `options of ${task}`);
}

/** Throws `INVALID_OPTION` for an option that does not exist, whose value does not fit, or for both `countdown` and `eta`. */
export function checkCallOptions(task: string, options: CallOptions): void {
  check(options, callChecks, `options of the call of ${task}`);
  if (options.countdown !== undefined && options.eta !== undefined) {
    refuse(`countdown and eta of the call of ${task}`, "both given", "one of them");
  }
}

function check(options: object, checks: Readonly<Record<string, Check>>, where: string): void {
  for (const [name, value] of Object.entries(options)) {
    const known = Object.hasOwn(checks, name) ? checks[name] : undefined;
    if (known === undefined) refuse(`"${name}" in the ${where}`, "unknown", `one of ${Object.keys(checks).join(", ")}`);
    if (value !== undefined) known?.(value, `"${name}" in the ${where}`);
  }
}

function isText(value: unknown, option: string): void {
  if (typeof value !== "string" || value === "") refuse(option, kindOf(value), "a name");
}

function isFlag(value: unknown, option: string): void {
  if (typeof value !== "boolean") refuse(option, kindOf(value), "true or false");
}

function isPriority(value: unknown, option: string): void {
  const fits = Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 9;
  if (!fits) refuse(option, typeof value === "number" ? String(value) : kindOf(value), "a whole number from 0 (first) to 9");
}

function isDuration(value: unknown, option: string): void {
  toMilliseconds(value as Duration, option);
}

function isDate(value: unknown, option: string): void {
  if (!(value instanceof Date) || Number.isNaN(value.getTime())) refuse(option, kindOf(value), "a valid Date");
}

function isRecord(value: unknown, option: string): void {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(option, kindOf(value), "an object");
}

/** The kind of a bad value, not the value: a caller may have put a payload there by mistake. */
function kindOf(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "an array" : value instanceof Date ? "a Date" : `a ${typeof value}`;
}

function refuse(option: string, got: string, expected: string): never {
  throw new BullrushError("INVALID_OPTION", { option, got, expected });
}
