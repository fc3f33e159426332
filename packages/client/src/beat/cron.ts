import { CronExpressionParser, type CronExpression } from "cron-parser";

/** A cron expression on a clock without changes. @internal */
export interface Cron {
  /** Whether it is due in every hour of its days. */
  readonly everyHour: boolean;
  /** The first time after `wall` at which it is due, both in ms. Throws if there is none. */
  next(wall: number): number;
}

/**
 * Parses an expression of five fields, or of six with seconds first. If day of month or day of week
 * begins with `*`, both must match; if neither does, either is enough. Throws the library's error
 * for an expression that it cannot parse.
 * @internal
 */
export function cronOf(expression: string): Cron {
  const whole = parse(expression);
  const everyHour = whole.fields.hour.values.length === 24;
  const fields = expression.trim().split(/\s+/);
  const days = [fields.at(-3), fields.at(-1)] as [string, string];
  // The library accepts either day field, unless one of them is exactly a star.
  if (!days.some((field) => /^[*?]/.test(field)) || days.some((field) => field.length === 1 && /[*?]/.test(field))) {
    return { everyHour, next: (wall) => after(whole, wall) };
  }
  const byMonth = parse([...fields.slice(0, -1), "*"].join(" "));
  const byWeek = parse([...fields.slice(0, -3), "*", ...fields.slice(-2)].join(" "));
  return { everyHour, next: (wall) => afterBoth(byMonth, byWeek, wall) };
}

/**
 * Maximum time between two days on which day of month and day of week both match, in ms: 29
 * February is a Monday in 2072 and in 2112.
 */
const maxGap = 41 * 366 * 24 * 60 * 60 * 1000;

/**
 * The first time after `wall` at which both are due. While only their days differ, each step
 * advances by at least a day.
 */
function afterBoth(one: CronExpression, other: CronExpression, wall: number): number {
  let due = after(one, wall);
  while (due - wall < maxGap) {
    const next = after(other, due - 1);
    if (next === due) return due;
    due = after(one, next - 1);
  }
  throw new Error("Invalid expression, its days never come together");
}

function after(cron: CronExpression, wall: number): number {
  cron.reset(new Date(wall));
  return cron.next().getTime();
}

function parse(expression: string): CronExpression {
  return CronExpressionParser.parse(expression, { tz: "UTC" });
}
