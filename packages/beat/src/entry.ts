import { BullrushError, lastTime, type StoredEntry } from "@bullrush/broker";
import { crontab as checkCrontab, type App } from "@bullrush/client";
import { crontab } from "./schedules/crontab.js";
import { interval } from "./schedules/interval.js";
import { custom } from "./schedules/custom.js";
import { solar } from "./schedules/solar.js";
import type { Timetable } from "./schedules/timetable.js";

/** The fields of an entry from which its timetable is made. */
export type Scheduled = Pick<StoredEntry, "name" | "call" | "createdAt" | "spoilt">;

/** Maximum number of timetables in the cache. A compiled crontab takes some kB. */
const maxKept = 500;

/** Makes the timetables of an app's entries, bounded by their `start` and `end`. */
export class Timetables {
  readonly #timezone: string;
  readonly #functions: ReadonlyMap<string, ((after: Date) => Date | undefined) | undefined>;
  readonly #crontabs = new Map<string, Timetable>();

  constructor({ timezone, beat }: Pick<App["options"], "timezone" | "beat">) {
    this.#timezone = timezone;
    this.#functions = new Map(beat.map(({ name, next }) => [name, next]));
  }

  /**
   * Returns the timetable of an entry. Throws `DECODE_ERROR` for a corrupt entry. Throws
   * `INVALID_OPTION` for a function that is not in these options, and for an expression that
   * `set()` would refuse. The timetable itself throws the same for a schedule that does not
   * advance.
   */
  of(entry: Scheduled): Timetable {
    if (entry.spoilt !== undefined)
      throw new BullrushError("DECODE_ERROR", { what: `entry "${entry.name}" of beat`, reason: entry.spoilt });
    const { startAt = -Infinity, endAt = Infinity } = entry.call;
    const unbounded = this.#unbounded(entry);
    return {
      next: (after) => {
        const from = Math.max(after, startAt - 1);
        const due = unbounded.next(from);
        if (due === undefined || due > Math.min(endAt, lastTime)) return undefined;
        // A time that is not later would make callers loop for ever.
        if (!(due > from)) refuse(entry.name);
        return due;
      },
    };
  }

  #unbounded({ name, call, createdAt }: Scheduled): Timetable {
    const { schedule, startAt } = call;
    switch (schedule.type) {
      case "every":
        return interval(schedule.every, startAt ?? createdAt, startAt !== undefined);
      case "crontab":
        return this.#crontab(schedule.expression, schedule.timezone ?? this.#timezone);
      case "solar":
        return solar(schedule.event, schedule.latitude, schedule.longitude);
      case "function":
        return custom(name, this.#function(name));
    }
  }

  #crontab(expression: string, timezone: string): Timetable {
    const key = `${timezone} ${expression}`;
    let kept = this.#crontabs.get(key);
    if (kept === undefined) {
      if (this.#crontabs.size >= maxKept) this.#crontabs.clear();
      checkCrontab(expression, { timezone });
      this.#crontabs.set(key, (kept = crontab(expression, timezone)));
    }
    return kept;
  }

  #function(name: string): (after: Date) => Date | undefined {
    const custom = this.#functions.get(name);
    if (custom !== undefined) return custom;
    throw new BullrushError("INVALID_OPTION", {
      option: `the schedule of "${name}"`,
      got: "a function that this beat does not have",
      expected: "the options of the app that stored it",
    });
  }
}

function refuse(name: string): never {
  throw new BullrushError("INVALID_OPTION", {
    option: `the schedule of "${name}"`,
    got: "one that does not go on",
    expected: "each time to be after the one before",
  });
}
