import type { NamedCall, Schedule, ScheduledCall, StoredEntry } from "@bullrush/broker";
import { crontab } from "./crontab.js";
import { describeSchedule } from "./schedule.js";

/** An entry of `app.beat.list()`. */
export interface ListedEntry {
  readonly name: string;
  /** Name of the task. */
  readonly task: string;
  /** In a few words: `every 20s`. */
  readonly schedule: string;
  /** All that was said of it, as plain data: times and lengths of time in ms. */
  readonly call: ScheduledCall;
  /** Whether it is of the app's options, or was set at run time. */
  readonly origin: "options" | "runtime";
  readonly paused: boolean;
  /** The next run, as beat has stored it; absent when no beat has computed it yet, when there is none any more, and while it is paused. */
  readonly next?: Date;
  /** The tick that was sent last. */
  readonly last?: ListedTick;
  /** How many ticks were sent since it was stored, or set anew. */
  readonly count: number;
  /** Why it does not tick, if somebody has spoilt what is stored of it; `task`, `schedule` and `call` may say nothing then. Setting it anew mends it. */
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

function listedEntry(entry: Omit<StoredEntry, "version" | "createdAt">, flawOf: FlawOf): ListedEntry {
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

type FlawOf = (call: ScheduledCall) => string | undefined;

/** What says why a crontab is none. Each is looked at once: many entries have the same. */
function crontabFlaws(): FlawOf {
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
