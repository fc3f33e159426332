import type { Advance, Schedules, StoredEntry, Term, Tick } from "../../src/ports/schedules.js";
import type { ScheduledCall } from "../../src/protocol/schedule.js";
import { messageOf } from "./messages.js";
import type { Stage } from "./stage.js";

/** A broker with schedules, and what the tests do with them all the time. */
export interface Calendar {
  readonly stage: Stage;
  readonly store: Schedules;
  /** A store with connections of its own, with terms of `lead` ms. */
  open(lead?: number): Schedules;
  /** The term of a new leader. Throws while there is another one. */
  lead(): Promise<Term>;
  /** An entry of this name, as it is stored. Throws if there is none. */
  read(name: string): Promise<StoredEntry>;
  /** Stores an entry that is due at `due`. */
  prepare(term: Term, name: string, due: number): Promise<StoredEntry>;
  close(): Promise<void>;
}

export function calendarOn(stage: Stage, connect: (lead?: number) => Schedules): Calendar {
  const stores: Schedules[] = [];
  const open = (lead?: number): Schedules => {
    const opened = connect(lead);
    stores.push(opened);
    return opened;
  };
  const store = open();

  async function lead(): Promise<Term> {
    const term = await store.campaign();
    if (term === undefined) throw new Error("somebody else leads");
    return term;
  }

  async function read(name: string): Promise<StoredEntry> {
    const [entry] = await store.read([name]);
    if (entry === undefined) throw new Error(`there is no ${name}`);
    return entry;
  }

  async function prepare(term: Term, name: string, due: number): Promise<StoredEntry> {
    await store.set({ name, call });
    await store.advance(term, [advanceOf(await read(name), [], due)]);
    return read(name);
  }

  return { stage, store, open, lead, read, prepare, close: async () => void (await Promise.all(stores.map((one) => one.close()))) };
}

export const call: ScheduledCall = { task: "tasks.add", schedule: { type: "every", every: 20_000 }, args: [1, 2] };

/** Sends `ticks` of an entry, as it was read; by default it is not due any more. */
export function advanceOf({ name, version, due }: StoredEntry, ticks: readonly Tick[] = [], next?: number): Advance {
  return { name, version, due, ticks, ...(next !== undefined && { next }) };
}

/** A tick with one message for `queue`. */
export function tickOf(due: number, queue = "feeds", fields: Parameters<typeof messageOf>[0] = {}, skipIfUnfinished = false): Tick {
  return { due, messages: [{ queue, message: messageOf({ args: [due], ...fields }) }], skipIfUnfinished };
}
