import { newId } from "../id.js";
import type { Results } from "../ports/results.js";
import type { TaskRecord } from "../protocol/record.js";
import { equal, isTrue } from "./assertions.js";
import { storeOf } from "./messages.js";
import type { Suite } from "./suite.js";

/** What a client hears from now on. */
async function hearing(
  results: Results,
): Promise<{ readonly heard: (readonly [string, TaskRecord | undefined])[]; readonly stop: () => void }> {
  const heard: (readonly [string, TaskRecord | undefined])[] = [];
  return { heard, stop: await results.subscribe((id, record) => void heard.push([id, record])) };
}

export function describeNotifications({ describe, test }: Suite): void {
  describe("a notification", () => {
    test("of what is stored for a client: it brings the record, and nobody else hears it", async (stage) => {
      const [waiter, other] = [stage.engine.results, stage.other.results];
      isTrue(waiter.replyChannel !== other.replyChannel, "each engine has a channel of its own");
      const [mine, theirs] = [await hearing(waiter), await hearing(other)];
      const [silent, foreign, one, two] = [newId(), newId(), newId(), newId()];
      await other.store([storeOf(silent), storeOf(foreign, {}, { replyTo: other.replyChannel })]);
      await other.store([storeOf(one, { state: "STARTED" }, { replyTo: waiter.replyChannel })]);
      await other.store([storeOf(two, { resultText: '"€😀"' }, { replyTo: waiter.replyChannel })]);
      await stage.eventually("notification", () => mine.heard.length >= 2 && theirs.heard.length > 0);
      equal(mine.heard, [
        [one, { state: "STARTED", delivery: 1 }],
        [two, { state: "SUCCESS", delivery: 1, result: "€😀" }],
      ]);
      equal(theirs.heard, [[foreign, { state: "SUCCESS", delivery: 1 }]]);
    });

    test("of what was refused: it does not come", async (stage) => {
      const { results } = stage.engine;
      const { heard } = await hearing(results);
      const [ended, claimed, last] = [newId(), newId(), newId()];
      await results.store([storeOf(ended)]);
      await results.claim([{ id: claimed, delivery: 2, expires: 60_000, worker: "worker-a" }]);
      const stores = [ended, claimed, last].map((id) => storeOf(id, { state: "FAILURE" }, { replyTo: results.replyChannel }));
      equal(await results.store(stores), ["superseded", "fenced", "stored"]);
      await stage.eventually("notification", () => heard.length > 0);
      equal(
        heard.map(([id]) => id),
        [last],
      );
    });

    test("for several listeners: it comes to each until it stops", async (stage) => {
      const { results } = stage.engine;
      const [first, second] = [await hearing(results), await hearing(results)];
      const replyTo = results.replyChannel;
      await stage.other.results.store([storeOf(newId(), {}, { replyTo })]);
      await stage.eventually("notifications", () => first.heard.length + second.heard.length === 2);
      first.stop();
      first.stop();
      await stage.other.results.store([storeOf(newId(), {}, { replyTo })]);
      await stage.eventually("notification", () => second.heard.length === 2);
      equal(first.heard.length, 1);
    });

    test("for nobody: it is no error", async (stage) => {
      equal(await stage.engine.results.store([storeOf(newId(), {}, { replyTo: stage.other.results.replyChannel })]), ["stored"]);
    });
  });
}
