import { printable, printableLines } from "@bullrush/client/program";
import { prettyFactory } from "pino-pretty";

interface Line {
  readonly level: number;
  readonly time: string;
  readonly msg?: unknown;
  readonly stack?: unknown;
}

/**
 * What makes a line of a pino logger one that a person reads, in local time: what happened first, then what it is about, as JSON; the stack of a failure below. Whatever else has
 * several lines is indented from the second on: so nothing that is logged looks like a line of its own.
 */
export function prettyLines(colours: boolean): (json: string) => string {
  const pretty = prettyFactory({ translateTime: "SYS:HH:MM:ss.l", colorize: colours });
  return (json) => {
    const { level, time, msg, stack, ...fields } = JSON.parse(json) as Line;
    const facts = Object.keys(fields).length === 0 ? "" : printable(JSON.stringify(fields));
    const head = [typeof msg === "string" ? indented(msg) : "", facts].filter((part) => part !== "").join(" ");
    return pretty({ level, time, msg: typeof stack === "string" ? `${head}\n    ${indented(stack)}` : head }) ?? "";
  };
}

function indented(text: string): string {
  return printableLines(text).replaceAll("\n", "\n    ");
}
