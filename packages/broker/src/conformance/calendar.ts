import type { Advance, Schedules, StoredEntry, Term, Tick } from "../ports/schedules.js";
import type { ScheduledCall } from "../protocol/schedule.js";
import { messageOf } from "./messages.js";

export const call: ScheduledCall = { task: "tasks.add", schedule: { type: "every", every: 20_000 }, args: [1, 2] };

/** The term of a new leader. Throws while somebody else leads. */
export async function lead(schedules: Schedules): Promise<Term> {
  const term = await schedules.campaign();
  if (term === undefined) throw new Error("somebody else leads");
  return term;
}

/** An entry of this name, as it is stored. Throws if there is none. */
export async function entryOf(schedules: Schedules, name: string): Promise<StoredEntry> {
  const [entry] = await schedules.read([name]);
  if (entry === undefined) throw new Error(`there is no ${name}`);
  return entry;
}

/** Stores an entry that is due at `due`. */
export async function prepare(schedules: Schedules, term: Term, name: string, due: number): Promise<StoredEntry> {
  await schedules.set({ name, call });
  await schedules.advance(term, [advanceOf(await entryOf(schedules, name), [], due)]);
  return entryOf(schedules, name);
}

/** Sends `ticks` of an entry, as it was read; by default it is not due any more. */
export function advanceOf({ name, version, due }: StoredEntry, ticks: readonly Tick[] = [], next?: number): Advance {
  return { name, version, due, ticks, ...(next !== undefined && { next }) };
}

/** A tick with one message for `queue`. */
export function tickOf(due: number, queue = "feeds", fields: Parameters<typeof messageOf>[0] = {}, skipIfUnfinished = false): Tick {
  return { due, messages: [{ queue, message: messageOf({ args: [due], ...fields }) }], skipIfUnfinished };
}
