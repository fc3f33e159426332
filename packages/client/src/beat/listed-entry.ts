import type { NamedCall, ScheduledCall, StoredEntry } from "@bullrush/broker";
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
  return [...stored, ...further].map(listedEntry).toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

function listedEntry({ name, call, origin, paused, count, due, last }: Omit<StoredEntry, "version" | "createdAt">): ListedEntry {
  return {
    name,
    task: call.task,
    schedule: describeSchedule(call.schedule),
    call,
    origin,
    paused,
    ...(due !== undefined && { next: new Date(due) }),
    ...(last !== undefined && { last: { ...last, due: new Date(last.due), sentAt: new Date(last.sentAt) } }),
    count,
  };
}
