import { newId, type Advance, type Schedules, type Term } from "@bullrush/broker";
import type { Timetables } from "./entry.js";
import { isOutage } from "./outage.js";
import { computedFrom } from "./scheduler.js";
import type { Sending } from "./sending.js";

interface Aligning {
  readonly store: Schedules;
  readonly timetables: Timetables;
  readonly sending: Pick<Sending, "failed">;
}

/**
 * Moves each entry whose due time is later than its timetable says, counted from `now`, to the time
 * of the timetable. Rejects only if the broker cannot be used. An entry that cannot be computed or
 * written is logged as failed.
 */
export async function align({ store, timetables, sending }: Aligning, term: Term, now: number): Promise<void> {
  const late = (await store.list()).flatMap((entry): readonly Advance[] => {
    const { name, version, due, spoilt } = entry;
    if (due === undefined || spoilt !== undefined) return [];
    try {
      const next = timetables.of(entry).next(computedFrom(entry, now));
      return next === undefined || next >= due ? [] : [{ name, version, newVersion: newId(), due, ticks: [], next }];
    } catch (error) {
      sending.failed(name, error);
      return [];
    }
  });
  if (late.length > 0) await advanceAll(late);

  /** Moves one entry. An entry that cannot be written does not hold up others. */
  async function advanceAll(advances: readonly Advance[]): Promise<void> {
    try {
      await store.advance(term, advances);
    } catch (error) {
      if (isOutage(error)) throw error;
      const [one] = advances;
      if (advances.length > 1) for (const each of advances) await advanceAll([each]);
      else if (one !== undefined) sending.failed(one.name, error);
    }
  }
}
