import { describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import type { Results } from "../../src/ports/results.js";
import type { TaskRecord } from "../../src/protocol/record.js";
import { claimOf, type Desk } from "./desk.js";
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

    test("brings the record of whatever is stored for the client, and of nothing else", async () => {
      const [waiter, other] = [desk().client(), desk().client()];
      expect(waiter.replyChannel).toBe(waiter.replyChannel);
      expect(waiter.replyChannel).not.toBe(other.replyChannel);
      const [mine, theirs] = [await hearing(waiter), await hearing(other)];
      const [silent, foreign, one, two] = [desk().task(), desk().task(), desk().task(), desk().task()];
      await desk().backend.store([storeOf(silent), storeOf(foreign, {}, { replyTo: other.replyChannel })]);
      await desk().backend.store([storeOf(one, { state: "STARTED" }, { replyTo: waiter.replyChannel })]);
      await desk().backend.store([storeOf(two, { resultText: '"€😀"' }, { replyTo: waiter.replyChannel })]);
      await eventually("notification", () => mine.heard.length >= 2 && theirs.heard.length >= 1);
      expect(mine.heard).toEqual([
        [one, { state: "STARTED", delivery: 1 }],
        [two, { state: "SUCCESS", delivery: 1, result: "€😀" }],
      ]);
      expect(theirs.heard).toEqual([[foreign, { state: "SUCCESS", delivery: 1 }]]);
    });

    test("of what was refused does not come", async () => {
      const waiter = desk().client();
      const { heard } = await hearing(waiter);
      const [ended, claimed, last] = [desk().task(), desk().task(), desk().task()];
      const replyTo = waiter.replyChannel;
      await desk().backend.store([storeOf(ended)]);
      await desk().backend.claim([claimOf(claimed, 2)]);
      const replies = await desk().backend.store([ended, claimed, last].map((id) => storeOf(id, { state: "FAILURE" }, { replyTo })));
      expect(replies).toEqual(["superseded", "fenced", "stored"]);
      await eventually("notification", () => heard.length > 0);
      expect(heard.map(([id]) => id)).toEqual([last]);
    });

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

    test("comes to each listener until it stops", async () => {
      const waiter = desk().client();
      const [first, second] = await Promise.all([hearing(waiter), hearing(waiter)]);
      const replyTo = waiter.replyChannel;
      await desk().backend.store([storeOf(desk().task(), {}, { replyTo })]);
      await eventually("notifications", () => first.heard.length + second.heard.length === 2);
      first.stop();
      first.stop();
      await desk().backend.store([storeOf(desk().task(), {}, { replyTo })]);
      await eventually("notification", () => second.heard.length === 2);
      expect(first.heard).toHaveLength(1);
    });

    test("to nobody is no error", async () => {
      expect(await desk().backend.store([storeOf(desk().task(), {}, { replyTo: desk().client().replyChannel })])).toEqual(["stored"]);
    });
  });
}
