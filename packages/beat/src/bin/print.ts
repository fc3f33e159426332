import { once } from "node:events";
import { BullrushError, clip, textLimits, type StoredEntry } from "@bullrush/broker";
import type { App, ListedEntry } from "@bullrush/client";
import { printable, printableLines } from "@bullrush/program";
import { Timetables } from "../entry.js";
import { forecast, preview } from "../forecast.js";
import { reasonOf } from "../reason.js";

export interface PrintOptions {
  /** The name of the command in warnings. */
  readonly command: string;
  /** Whether to print a line of JSON for each entry or tick. */
  readonly json: boolean;
  /** Whether to print arguments and headers, which may be secret. */
  readonly showArgs: boolean;
}

/** Prints all entries, as a table or as one line of JSON each. */
export async function printList(app: App, { json, showArgs }: PrintOptions): Promise<void> {
  const entries = await app.beat.list();
  if (json) for (const entry of entries) await print(jsonOf(showArgs ? entry : withoutArgs(entry)));
  else if (entries.length === 0) await print("no entries");
  else console.table(Object.fromEntries(entries.map((entry) => [shown(entry.name), row(entry)])));
}

function withoutArgs({ call, ...entry }: ListedEntry) {
  const { args: _, options: { headers: __, ...options } = {}, ...others } = call;
  return { ...entry, call: { ...others, ...(Object.keys(options).length > 0 && { options }) } };
}

function row({ task, schedule, origin, paused, last, next, count, spoilt }: ListedEntry) {
  return {
    task: shown(task),
    schedule: shown(schedule),
    from: origin,
    "last run": last?.due.toISOString() ?? "",
    "next run": spoilt !== undefined ? `spoilt: ${spoilt}` : paused ? "paused" : (next?.toISOString() ?? ""),
    count,
  };
}

/**
 * Prints the ticks that would be sent from `from` on, for `length` ms, one line each. Without a
 * broker it uses the entries of the app's options alone, and warns of that on stderr. Returns
 * `false` if an entry could not be computed, which it also reports on stderr.
 */
export async function printForecast(app: App, from: number, length: number, { command, json, showArgs }: PrintOptions): Promise<boolean> {
  let complete = true;
  const failed = (entry: string, error: unknown) => {
    complete = false;
    warn(command, `entry "${shown(entry)}" cannot be computed: ${reasonOf(error)}`);
  };
  const entries = preview(app.options.beat, await stored(app, command, failed), from);
  for (const { due, entry, task, args } of forecast(entries, new Timetables(app.options), from, from + length, failed)) {
    const at = new Date(due).toISOString();
    if (json) await print(jsonOf({ due: at, entry, task, ...(showArgs && { args }) }));
    else await print(`${at}  ${shown(entry)}  ${shown(task)}${showArgs ? ` ${printable(JSON.stringify(args))}` : ""}`);
  }
  return complete;
}

async function stored(app: App, command: string, failed: (entry: string, error: unknown) => void): Promise<readonly StoredEntry[]> {
  try {
    const entries = await app.engine.schedules.list();
    for (const { name, spoilt } of entries) if (spoilt !== undefined) failed(name, spoilt);
    return entries.filter(({ spoilt }) => spoilt === undefined);
  } catch (error) {
    if (!(error instanceof BullrushError)) throw error;
    warn(command, `only the entries of the app's options: ${error.message}`);
    return [];
  }
}

/** Makes a stored name safe for a terminal: anybody with access to Redis may have written it. */
function shown(name: string): string {
  return printable(clip(name, textLimits.name));
}

/** Formats a line of JSON, safe for a terminal. */
function jsonOf(value: unknown): string {
  return printableLines(JSON.stringify(value));
}

/** Writes `text` to stdout and waits until a slow reader has taken it. */
async function print(line: string): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, "drain");
}

/** Writes a warning of `command` to stderr. */
export function warn(command: string, text: string): void {
  process.stderr.write(`${command}: ${printable(text)}\n`);
}
