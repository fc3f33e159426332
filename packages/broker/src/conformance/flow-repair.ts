import { newId } from "../protocol/id.js";
import { equal, matches } from "./assertions.js";
import { argsOf, callIn, chordOf, endOf, flowOf, isOver, play, recordsOf } from "./flow-play.js";
import { outcomes } from "./messages.js";
import { contentOf, takeOne } from "./stage.js";
import type { Suite } from "./suite.js";

const why = { reason: "too late", terminate: false };

export function describeFlowRepair({ describe, test }: Suite): void {
  describe("a flow that is revoked", () => {
    test("whose call waits for its time: it goes on at once, and its links are told", async (stage) => {
      const flow = flowOf([
        { task: "list", message: { eta: stage.now() + 3_600_000 }, next: [["error", 1, 0, 0]] },
        { task: "list", args: ["told"], isLink: true },
      ]);
      await stage.engine.flows.begin(flow);
      matches(await stage.counts(), { delayed: 1 });
      const found = await stage.engine.flows.revoke(flow.id, "all");
      equal(found, { ids: [callIn(flow, 0).message.id], queues: ["feeds"] });
      const [marked] = await stage.engine.queues.revoke(found?.ids ?? [], found?.queues ?? [], why);
      matches(marked, { location: "waiting", due: undefined });
      const consumer = stage.consume();
      const [dropped] = await stage.hear(consumer, 1);
      equal(dropped?.revoked, "too late");
      if (dropped) await consumer.settleAndTake({ settle: [endOf(dropped, { type: "revoked", reason: "too late" })], take: 0 });
      matches(argsOf(await play(stage, consumer, flow)), [[{ state: "REVOKED", reason: "too late" }, "told"]]);
    });

    test("before a call was sent: whoever takes that looks for its result first", async (stage) => {
      const flow = flowOf([
        { task: "list", next: [["step", 1]] },
        { task: "list", queue: "other" },
      ]);
      await stage.engine.flows.begin(flow);
      const ids = flow.calls.map(({ message }) => message.id);
      equal(await stage.engine.flows.revoke(flow.id, "all"), { ids, queues: ["feeds", "other"] });
      equal(await stage.engine.flows.revoke(flow.id, [1]), { ids: [ids[1]], queues: ["feeds", "other"] });
      const consumer = stage.consume(["feeds", "other"]);
      await consumer.settleAndTake({ settle: [endOf(await takeOne(consumer))], take: 0 });
      matches(await stage.engine.flows.revoke(flow.id, "all"), { ids: [ids[1]] });
      matches(contentOf(await takeOne(consumer)), { resent: true });
    });

    test("whose messages nobody takes: it ends all the same", async (stage) => {
      const flow = flowOf([
        { task: "list", queue: "nobodys", next: [["step", 1]] },
        { task: "list", queue: "nobodys" },
      ]);
      await stage.engine.flows.begin(flow);
      const found = await stage.engine.flows.revoke(flow.id, "all");
      await stage.engine.queues.revoke(found?.ids ?? [], found?.queues ?? [], why);
      const consumer = stage.consume();
      await stage.eventually("repair", async () => (await consumer.repairFlows(1)) === 1);
      matches(await recordsOf(stage, flow), [{ state: "REVOKED" }, { state: "REVOKED" }]);
      equal(await isOver(stage, flow.id), true);
    });

    test("that is not there: there is nothing to revoke", async (stage) => {
      equal(await stage.engine.flows.revoke(newId(), "all"), undefined);
    });
  });

  describe("a flow that stands still", () => {
    test("with messages that are gone: it goes on with their results, or as revoked", async (stage) => {
      const flow = chordOf(["list", "list", "list"], "partial");
      await stage.engine.flows.begin(flow);
      const consumer = stage.consume();
      const first = await takeOne(consumer);
      const { store } = endOf(first);
      await stage.engine.results.store(store ? [store] : []);
      await consumer.settleAndTake({ settle: [{ delivery: first, outcome: outcomes.requeued }], take: 0 });
      await stage.engine.queues.purge("feeds");
      equal(await consumer.repairFlows(60_000), 0);
      await stage.eventually("repair", async () => (await consumer.repairFlows(1)) === 1);
      const values = [[0], null, null];
      equal(argsOf(await play(stage, consumer, flow)), [[values], [[values]]]);
      matches((await recordsOf(stage, flow)).slice(0, 3), [{ state: "SUCCESS" }, { state: "REVOKED" }, { state: "REVOKED" }]);
    });

    test("with a call that stands for another task: that is told too", async (stage) => {
      const replaced = { id: newId(), task: "outer" };
      const flow = flowOf([{ task: "list", message: { replaces: [replaced] } }]);
      await stage.engine.flows.begin(flow);
      await stage.engine.queues.purge("feeds");
      const consumer = stage.consume();
      await stage.eventually("repair", async () => (await consumer.repairFlows(1)) === 1);
      matches(await stage.recordOf(replaced.id), { state: "REVOKED", task: "outer" });
    });
  });
}
