import { once } from "node:events";
import { BullrushError, clip, textLimits, type StoredEntry } from "@bullrush/broker";
import type { App, ListedEntry } from "@bullrush/client";
import { printable, printableLines } from "@bullrush/program";
import { Timetables } from "../entry.js";
import { forecast, preview } from "../forecast.js";
import { reasonOf } from "../reason.js";

export interface PrintOptions {
  /** How warnings call the command. */
  readonly command: string;
  /** A line of JSON for each. */
  readonly json: boolean;
  /** With what is sent along, which may be secret: arguments and headers. */
  readonly showArgs: boolean;
}

/** Prints all entries: a table, or a line for each. */
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
 * Prints what would be sent from `from` on, for `length` ms: a line for each tick. Without a broker, of the entries in the app's options
 * alone; then it says so on stderr, and also of what cannot be computed. `false` if there is any such.
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

/** A name for people to read: somebody may have planted it. */
function shown(name: string): string {
  return printable(clip(name, textLimits.name));
}

/** A line of JSON, which may be read in a terminal too. */
function jsonOf(value: unknown): string {
  return printableLines(JSON.stringify(value));
}

/** Waits for a reader that is slower. */
async function print(line: string): Promise<void> {
  if (!process.stdout.write(`${line}\n`)) await once(process.stdout, "drain");
}

/** Writes a warning of `command` to stderr. */
export function warn(command: string, text: string): void {
  process.stderr.write(`${command}: ${printable(text)}\n`);
}
