import { afterEach, beforeEach, describe } from "vitest";
import type { Calendar } from "./calendar.js";
import { describeEntries } from "./entries.js";
import { describeTicks } from "./ticks.js";

/** What the conformance suite does not try of schedules: many entries, and many leaders. `open` gives a broker in which there is nothing yet. */
export function describeScheduleStore(name: string, open: () => Calendar): void {
  describe(`${name} as a store of schedules`, () => {
    let calendar: Calendar;

    beforeEach(() => {
      calendar = open();
    });

    afterEach(() => calendar.close());

    const atCalendar = () => calendar;
    describeEntries(atCalendar);
    describeTicks(atCalendar);
  });
}
