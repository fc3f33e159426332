import { BullrushError, type StoredEntry } from "@bullrush/broker";
import type { App, ListedEntry } from "@bullrush/client";
import { Timetables } from "../entry.js";
import { forecast, foreseen } from "../forecast.js";

/** Prints all entries: a table, or with `json` a line for each. */
export async function printList(app: App, json: boolean): Promise<void> {
  const entries = await app.beat.list();
  if (json) for (const entry of entries) print(JSON.stringify(entry));
  else if (entries.length === 0) print("no entries");
  else console.table(Object.fromEntries(entries.map((entry) => [entry.name, row(entry)])));
}

function row({ task, schedule, origin, paused, last, next, count }: ListedEntry) {
  return {
    task,
    schedule,
    from: origin,
    "last run": last?.due.toISOString() ?? "",
    "next run": paused ? "paused" : (next?.toISOString() ?? ""),
    count,
  };
}

/**
 * Prints what would be sent from `from` on, for `length` ms: a line for each tick. Without a broker, of the entries in the app's options
 * alone; then it says so on stderr.
 */
export async function printForecast(app: App, from: number, length: number, json: boolean): Promise<void> {
  const ticks = forecast(foreseen(app.options.beat, await stored(app), from), new Timetables(app.options), from, from + length);
  for (const { due, entry, task, args } of ticks) {
    const at = new Date(due).toISOString();
    print(json ? JSON.stringify({ due: at, entry, task, args }) : `${at}  ${entry}  ${task} ${JSON.stringify(args)}`);
  }
}

async function stored(app: App): Promise<readonly StoredEntry[]> {
  try {
    return await app.schedules.list();
  } catch (error) {
    if (!(error instanceof BullrushError)) throw error;
    process.stderr.write(`task-beat: only the entries of the app's options: ${error.message}\n`);
    return [];
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
