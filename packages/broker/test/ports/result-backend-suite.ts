import { afterEach, beforeEach, describe } from "vitest";
import type { Results } from "../../src/ports/results.js";
import { deskAt, type Desk } from "./desk.js";
import { describeNotifications } from "./notifications.js";

/** What the conformance suite does not try of results: large records. `open` gives a client with connections of its own; all clients share the records, and notify with up to `largestNotified` bytes of record. */
export function describeResultBackend(name: string, open: () => Results): void {
  describe(`${name} as a result backend`, () => {
    let desk: Desk;

    beforeEach(() => {
      desk = deskAt(open);
    });

    afterEach(() => desk.close());

    const atDesk = () => desk;
    describeNotifications(atDesk);
  });
}
