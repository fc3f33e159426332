import { hostname } from "node:os";
import { format, inspect } from "node:util";
import type { Log, LogMethod } from "./log.js";

/** The levels that are written, as pino numbers them. */
const levels = { warn: 40, error: 50, fatal: 60 } as const;

/** The log of a task that is called directly: lines of JSON in pino's form, on stdout, from `warn` on. Each line has `bound` too. */
export function localLog(bound: object): Log {
  const at = (level: number): LogMethod => {
    return (first: object | string, ...rest: readonly unknown[]) => {
      const head = { level, time: Date.now(), pid: process.pid, hostname: hostname(), ...bound };
      process.stdout.write(`${lineOf(head, first, rest)}\n`);
    };
  };
  return {
    trace: silent,
    debug: silent,
    info: silent,
    warn: at(levels.warn),
    error: at(levels.error),
    fatal: at(levels.fatal),
    child: (fields) => localLog({ ...bound, ...fields }),
  };
}

const silent: LogMethod = () => {};

function lineOf(head: object, first: object | string, rest: readonly unknown[]): string {
  if (typeof first === "string") return JSON.stringify({ ...head, msg: format(first, ...rest) });
  const fields = first instanceof Error ? { err: first } : first;
  const text = rest.length > 0 ? format(...rest) : first instanceof Error ? first.message : undefined;
  const msg = text !== undefined && { msg: text };
  try {
    return JSON.stringify({ ...head, ...fields, ...msg }, writable);
  } catch {
    // A circle, or a value that throws when it is read.
    return JSON.stringify({ ...head, fields: inspect(fields), ...msg });
  }
}

function writable(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return String(value);
  return value instanceof Error ? { type: value.name, message: value.message, stack: value.stack } : value;
}
