import { describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import type { Results } from "../../src/ports/results.js";
import type { TaskRecord } from "../../src/protocol/record.js";
import type { Desk } from "./desk.js";
import { storeOf } from "./messages.js";

/** The longest record that the backends under test send along with a notification, in bytes. */
export const largestNotified = 1000;

export function describeNotifications(desk: () => Desk): void {
  describe("a notification", () => {
    /** What a client hears from now on. */
    async function hearing(waiter: Results): Promise<{ heard: [string, TaskRecord | undefined][]; stop: () => void }> {
      const heard: [string, TaskRecord | undefined][] = [];
      return { heard, stop: await waiter.subscribe((id, record) => void heard.push([id, record])) };
    }

    test("comes without the record when that is large", async () => {
      const waiter = desk().client();
      const { heard } = await hearing(waiter);
      const replyTo = waiter.replyChannel;
      const head = storeOf("", { resultText: '""' }).record.length;
      const texts = [0, 1, 100_000].map((more) => JSON.stringify("x".repeat(largestNotified - head + more)));
      const stored = texts.map((resultText) => storeOf(desk().task(), { resultText }, { replyTo }));
      await desk().backend.store(stored);
      await eventually("notifications", () => heard.length === 3);
      expect(heard.map(([id, record]) => [id, record !== undefined])).toEqual(stored.map(({ id }, index) => [id, index === 0]));
    });
  });
}
