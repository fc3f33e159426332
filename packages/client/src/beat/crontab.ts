import { counted, type Schedule } from "@bullrush/broker";
import { checkOptions, isList, isText, isTimeZone, kindOf, refuse, type Check } from "../options/check.js";
import { cronOf } from "./cron.js";

/**
 * One field of a cron expression, as cron writes it (`"9-17"`, `"mon,fri"`), or a number, or
 * several. Default: `*`.
 */
export type CrontabField = string | number | readonly number[];

/** A cron expression by its fields. */
export interface CrontabFields {
  /** 0 to 59. Default: the expression has five fields, and it is second 0. */
  readonly second?: CrontabField;
  /** 0 to 59. */
  readonly minute?: CrontabField;
  /** 0 to 23. */
  readonly hour?: CrontabField;
  /** 1 to 31, `L` is the last. */
  readonly dayOfMonth?: CrontabField;
  /** 1 to 12, or `jan` to `dec`. */
  readonly monthOfYear?: CrontabField;
  /** 0 to 7, both Sunday, or `sun` to `sat`; `5#2` is the second Friday. */
  readonly dayOfWeek?: CrontabField;
}

export interface CrontabOptions {
  /** IANA time zone of the expression. Default: the app's. */
  readonly timezone?: string;
}

/**
 * A cron schedule: an expression of five fields (minute, hour, day of month, month, day of week),
 * or six with seconds first, or an object of them. If day of month or day of week begins with `*`,
 * both must match; if neither does, either is enough. Throws `INVALID_OPTION`, also for an
 * expression that is never due.
 */
export function crontab(when: string | CrontabFields, options: CrontabOptions = {}): Schedule & { readonly type: "crontab" } {
  checkOptions(options, { timezone: isTimeZone }, "of crontab()");
  const expression = typeof when === "string" ? when.trim().split(/\s+/).join(" ") : expressionOf(when);
  checkExpression(expression);
  return { type: "crontab", expression, ...(options.timezone !== undefined && { timezone: options.timezone }) };
}

const fieldChecks: Record<keyof CrontabFields, Check> = {
  second: isField,
  minute: isField,
  hour: isField,
  dayOfMonth: isField,
  monthOfYear: isField,
  dayOfWeek: isField,
};

function expressionOf(when: CrontabFields): string {
  checkOptions(when, fieldChecks, "of crontab()");
  const { second, minute = "*", hour = "*", dayOfMonth = "*", monthOfYear = "*", dayOfWeek = "*" } = when;
  return [second ?? [], minute, hour, dayOfMonth, monthOfYear, dayOfWeek].flatMap((field) => textOf(field)).join(" ");
}

/** The text of a field; `undefined` for an empty list of numbers. */
function textOf(field: CrontabField): string | readonly [] {
  if (typeof field === "object") return field.length === 0 ? [] : field.join(",");
  return String(field);
}

/** Checks that a field is one field; the library checks its content. */
function isField(value: unknown, option: string): void {
  if (typeof value === "number") return;
  if (typeof value !== "object") isText(value, option);
  else isList(value, option);
  if (value === "" || (Array.isArray(value) && value.length === 0))
    refuse(option, "empty", "a number, a list of numbers, or a field of cron");
  if (/\s/.test(String(value))) refuse(option, "more than one field", "one field");
}

function checkExpression(expression: string): void {
  const option = "the expression of crontab()";
  const expected = 'five fields, or six with seconds first, such as "*/5 9-17 * * 1-5"';
  const fields = expression === "" ? 0 : expression.split(" ").length;
  if (fields !== 5 && fields !== 6) refuse(option, counted(fields, "field"), expected);
  // The library would choose such values at random, differently in each process.
  if (/(^|[\s,])h/i.test(expression)) refuse(option, "one with H", "one without");
  try {
    cronOf(expression).next(0);
  } catch (error) {
    refuse(option, `"${expression.slice(0, 80)}" (${error instanceof Error ? error.message : kindOf(error)})`, expected);
  }
}
