import { BullrushError } from "../error.js";
import type { Advance, Advanced, Due, NamedCall, Schedules, Term, TickCounts } from "../ports/schedules.js";
import { encodeMessage } from "../protocol/codec.js";
import { encodeJson } from "../protocol/json.js";
import type { RoutedMessage } from "../protocol/message.js";
import type { Access } from "./access.js";
import { isUnchanged, type Calendar, type CalendarEntry } from "./calendar.js";
import type { QueueTable } from "./queue-table.js";
import type { SpaceTime } from "./space-time.js";
import { syncEntry } from "./sync-entry.js";

export interface MemorySchedulesOptions {
  readonly calendar: Calendar;
  readonly queues: QueueTable;
  readonly time: SpaceTime;
  readonly access: Access;
  readonly newId: () => string;
  /** Longest encoded message, in bytes. */
  readonly maxPayload: number;
  /** How long a term lasts unless it is renewed, in ms. */
  readonly lead: number;
}

/** The recurring calls of one app of a space. */
export function memorySchedules({ calendar, queues, time, access, newId, maxPayload, lead }: MemorySchedulesOptions): Schedules {
  const { entries } = calendar;
  const stops = new Set<() => void>();

  /** Does `f` if the term lasts. Returns whether it does. */
  const inTerm = ({ token }: Term, f: () => void): boolean => {
    if (!calendar.isLeader(token, time.now())) return false;
    f();
    return true;
  };

  function campaign(): Term | undefined {
    const now = time.now();
    if (calendar.leader !== undefined && calendar.leader.until > now) return undefined;
    calendar.removed.clear();
    calendar.leader = { token: newId(), until: now + lead };
    return { token: calendar.leader.token, epoch: ++calendar.epoch };
  }

  function resign({ token }: Term): void {
    if (calendar.leader?.token !== token) return;
    calendar.leader = undefined;
    calendar.news.say(() => "resigned");
  }

  function write(term: Term, texts: readonly (readonly [name: string, text: string])[], isLeftOut: (name: string) => boolean): boolean {
    const version = newId();
    return inTerm(term, () => {
      for (const [name, text] of texts) if (!isLeftOut(name)) syncEntry(calendar, { name, text, version }, time.now());
    });
  }

  function sync(term: Term, given: readonly NamedCall[]): boolean {
    const texts = given.map(textOf);
    const kept = new Set(given.map(({ name }) => name));
    return (
      write(term, texts, () => false) &&
      inTerm(term, () => {
        for (const [name, { origin }] of entries) if (origin === "options" && !kept.has(name)) entries.delete(name);
      })
    );
  }

  function pause(name: string, isPaused: boolean): boolean {
    const entry = entries.get(name);
    if (entry === undefined) return false;
    if (entry.isPaused === isPaused) return true;
    entry.isPaused = isPaused;
    entry.version = newId();
    entry.due = isPaused ? Infinity : 0;
    delete entry.advanced;
    calendar.news.say(() => "changed");
    return true;
  }

  function remove(name: string): boolean {
    if (entries.get(name)?.origin === "options") calendar.removed.add(name);
    const isRemoved = entries.delete(name);
    if (isRemoved) calendar.news.say(() => "changed");
    return isRemoved;
  }

  function due(until: number, most: number): Due {
    const sorted = [...entries]
      .filter(([, entry]) => entry.due !== Infinity)
      .toSorted(([one, a], [other, b]) => a.due - b.due || (one < other ? -1 : 1));
    const found = sorted.slice(0, most).filter(([, entry]) => entry.due <= until);
    const next = sorted[found.length]?.[1].due;
    return { now: time.now(), entries: found.flatMap(([name]) => calendar.read(name) ?? []), ...(next !== undefined && { next }) };
  }

  function advance({ token }: Term, one: Advance): Advanced {
    if (!calendar.isLeader(token, time.now())) return "deposed";
    try {
      const ticks = one.ticks.map(({ messages, ...tick }) => ({
        ...tick,
        messages: messages.map((message) => encoded(message, maxPayload)),
      }));
      const entry = entries.get(one.name);
      if (entry === undefined || !isUnchanged(entry, one)) return repeated(entry, one, token) ?? "changed";
      const counts = sendTicks(entry, ticks);
      entry.version = one.newVersion ?? one.version;
      entry.due = one.next ?? Infinity;
      entry.advanced = { term: token, due: one.due ?? 0, counts };
      return counts;
    } catch (error) {
      if (error instanceof BullrushError) return error;
      throw error;
    }
  }

  function sendTicks(entry: CalendarEntry, ticks: readonly EncodedTick[]): TickCounts {
    const counts = { sent: 0, overlapped: 0, duplicates: 0 };
    for (const { due: at, skipIfUnfinished, messages } of ticks) {
      const [first] = messages as readonly [EncodedMessage];
      if (skipIfUnfinished && entry.last !== undefined && isUnfinished(entry.last)) counts.overlapped++;
      else if (queues.find(first.queue)?.find(first.message.id) !== undefined) counts.duplicates++;
      else {
        for (const { queue, message, text } of messages.toReversed()) queues.add(queue, { ...message, text }, message.eta);
        entry.last = { due: at, sentAt: time.now(), id: first.message.id, queue: first.queue };
        counts.sent++;
      }
    }
    entry.count += counts.sent;
    return counts;
  }

  function isUnfinished({ queue, id }: { readonly queue: string; readonly id: string }): boolean {
    const message = queues.find(queue)?.find(id);
    return message !== undefined && message.place !== "ended";
  }

  return {
    open: () => access.broker("the beat did not start", () => []),
    campaign: () => access.broker("the beat did not begin a term", campaign),
    renew: (term) =>
      access.broker("the term of a beat was not renewed", () =>
        inTerm(term, () => {
          if (calendar.leader !== undefined) calendar.leader.until = time.now() + lead;
        }),
      ),
    resign: (term) => access.broker("the term of a beat was not ended", () => resign(term)),
    sync: (term, given) => access.broker("the entries of the options were not stored", () => sync(term, given)),
    restore: (term, given) =>
      access.broker("the entries of the options were not stored", () =>
        write(term, given.map(textOf), (name) => calendar.removed.has(name)),
      ),
    lost: (names) =>
      access.broker("the stored entries were not looked up", () =>
        names.filter((name) => !entries.has(name) && !calendar.removed.has(name)),
      ),
    set: (given) =>
      access.broker(`entry "${given.name}" was not confirmed`, () => {
        const [name, text] = textOf(given);
        calendar.store(name, { text, origin: "runtime", version: newId() }, time.now());
        calendar.news.say(() => "changed");
      }),
    remove: (name) => access.broker(`the removal of entry "${name}" was not confirmed`, () => remove(name)),
    pause: (name) => access.broker(`entry "${name}" was not paused`, () => pause(name, true)),
    resume: (name) => access.broker(`entry "${name}" was not resumed`, () => pause(name, false)),
    list: () =>
      access.broker("the entries were not listed", () => [...entries.keys()].toSorted().flatMap((name) => calendar.read(name) ?? [])),
    read: (names) => access.broker("entries were not read", () => names.map((name) => calendar.read(name))),
    due: (until, most) => access.broker("the due entries were not looked up", () => due(until, most)),
    advance: (term, advances) => access.broker("ticks were not confirmed", () => advances.map((one) => advance(term, one))),
    subscribe: (listener) =>
      access.broker("changes of entries were not subscribed to", () => {
        const stop = calendar.news.subscribe(listener);
        stops.add(stop);
        return stop;
      }),
    close: async () => {
      access.close();
      for (const stop of stops) stop();
    },
  };
}

type EncodedMessage = RoutedMessage & { readonly text: string };

interface EncodedTick {
  readonly due: number;
  readonly skipIfUnfinished: boolean;
  readonly messages: readonly EncodedMessage[];
}

function encoded(routed: RoutedMessage, maxPayload: number): EncodedMessage {
  return { ...routed, text: routed.text ?? encodeMessage(routed.message, maxPayload) };
}

function textOf({ name, call }: NamedCall): readonly [name: string, text: string] {
  return [name, encodeJson(call, `entry "${name}"`) as string];
}

/** What became of an advance that the same term has made before; `undefined` if it has not. */
function repeated(
  entry: CalendarEntry | undefined,
  { version, newVersion = version, due = 0 }: Advance,
  term: string,
): TickCounts | undefined {
  const advanced = entry?.version === newVersion ? entry.advanced : undefined;
  return advanced?.term === term && advanced.due === due ? advanced.counts : undefined;
}
