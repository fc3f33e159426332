import { printable, printableLines } from "@bullrush/client/program";

interface Line {
  readonly level: number;
  readonly time: string;
  readonly msg?: unknown;
  readonly stack?: unknown;
}

/** Name and colour of each of pino's levels. */
const levels: Readonly<Record<number, readonly [name: string, colour: number]>> = {
  10: ["TRACE", 90],
  20: ["DEBUG", 34],
  30: ["INFO", 32],
  40: ["WARN", 33],
  50: ["ERROR", 31],
  60: ["FATAL", 41],
};

/**
 * A line of a pino logger as a person reads it, in local time: what happened first, then what it is about, as JSON; the stack of a failure below. Whatever else has several
 * lines is indented from the second on: so nothing that is logged looks like a line of its own.
 */
export function prettyLine(json: string, colours: boolean): string {
  const { level, time, msg, stack, ...fields } = JSON.parse(json) as Line;
  const [name, colour] = levels[level] ?? ["LEVEL", 0];
  const paint = (text: string, code: number) => (colours ? `\u001b[${code}m${text}\u001b[39;49m` : text);
  const facts = Object.keys(fields).length === 0 ? "" : ` ${printable(JSON.stringify(fields))}`;
  const head = typeof msg === "string" && msg !== "" ? ` ${paint(indented(msg), 36)}` : "";
  const below = typeof stack === "string" ? `\n    ${indented(stack)}` : "";
  return `[${clockTime(new Date(time))}] ${paint(name, colour)}:${head}${facts}${below}\n`;
}

function indented(text: string): string {
  return printableLines(text).replaceAll("\n", "\n    ");
}

function clockTime(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
