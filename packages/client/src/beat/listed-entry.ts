import type { NamedCall, Schedule, ScheduledCall, StoredEntry } from "@bullrush/broker";
import { crontab } from "./crontab.js";
import { describeSchedule } from "./schedule.js";

/** An entry of `app.beat.list()`. */
export interface ListedEntry {
  readonly name: string;
  /** Name of the task. */
  readonly task: string;
  /** The schedule in a few words: `every 20s`. */
  readonly schedule: string;
  /** The entry as plain data; times and durations in ms. */
  readonly call: ScheduledCall;
  /** Whether the entry comes from the app's options or was set at run time. */
  readonly origin: "options" | "runtime";
  readonly paused: boolean;
  /**
   * The next due time, as a beat has stored it. Absent before a beat has computed it, after the
   * last tick, and while the entry is paused.
   */
  readonly next?: Date;
  /** The last tick that was sent. */
  readonly last?: ListedTick;
  /** How many ticks were sent since the entry was stored or set anew. */
  readonly count: number;
  /**
   * Why the entry does not tick, if its stored data are corrupt; `task`, `schedule` and `call` may
   * then be empty. Setting the entry anew repairs it.
   */
  readonly spoilt?: string;
}

export interface ListedTick {
  readonly due: Date;
  readonly sentAt: Date;
  /** Id of its task, for `app.asyncResult()`. */
  readonly id: string;
  readonly queue: string;
}

/** Entries of the store, and those of the options that it does not have, by name. */
export function listed(stored: readonly StoredEntry[], options: readonly NamedCall[]): readonly ListedEntry[] {
  const names = new Set(stored.map(({ name }) => name));
  const further = options
    .filter(({ name }) => !names.has(name))
    .map((entry) => ({ ...entry, origin: "options", paused: false, count: 0 }) as const);
  const flawOf = crontabFlaws();
  return [...stored, ...further].map((entry) => listedEntry(entry, flawOf)).toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function listedEntry(entry: Omit<StoredEntry, "version" | "createdAt">, flawOf: ErrorOf): ListedEntry {
  const { name, call, origin, paused, count, due, last } = entry;
  const spoilt = entry.spoilt ?? flawOf(call);
  return {
    name,
    task: call.task,
    schedule: entry.spoilt === undefined ? describeSchedule(call.schedule) : "spoilt",
    call,
    origin,
    paused,
    ...(due !== undefined && { next: new Date(due) }),
    ...(last !== undefined && { last: { ...last, due: new Date(last.due), sentAt: new Date(last.sentAt) } }),
    count,
    ...(spoilt !== undefined && { spoilt }),
  };
}

type ErrorOf = (call: ScheduledCall) => string | undefined;

/** The error of a crontab, if it is invalid. Each is compiled once: many entries share one. */
function crontabFlaws(): ErrorOf {
  const flaws = new Map<string, string | undefined>();
  return ({ schedule }) => {
    if (schedule.type !== "crontab") return undefined;
    const key = JSON.stringify(schedule);
    if (!flaws.has(key)) flaws.set(key, flawOfCrontab(schedule));
    return flaws.get(key);
  };
}

function flawOfCrontab({ expression, timezone }: Schedule & { readonly type: "crontab" }): string | undefined {
  try {
    crontab(expression, { ...(timezone !== undefined && { timezone }) });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : "it cannot be read";
  }
}
