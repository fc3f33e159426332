import type { FlowCall } from "../protocol/flow.js";
import { equal, matches } from "./assertions.js";
import { argsOf, callIn, chordOf, endOf, flowOf, play, recordsOf, type Step } from "./flow-play.js";
import { outcomes, storeOf } from "./messages.js";
import { contentOf, take, takeAll, takeOne } from "./stage.js";
import type { Suite } from "./suite.js";

export function describeFlows({ describe, test }: Suite): void {
  describe("a flow", () => {
    test("of steps: each hands its value on, before the next one's own arguments", async (stage) => {
      const flow = flowOf([
        { task: "sum", args: [1, 2], next: [["step", 1]] },
        { task: "list", args: ["own"], next: [["step", 2]] },
        { task: "list", next: [["step", 3]] },
        { task: "list", args: ["alone"], takesValue: false },
      ]);
      await stage.engine.flows.begin(flow);
      equal(argsOf(await play(stage, stage.consume(), flow)), [[1, 2], [3, "own"], [[3, "own"]], ["alone"]]);
      equal(
        (await recordsOf(stage, flow)).map((record) => record?.result),
        [3, [3, "own"], [[3, "own"]], ["alone"]],
      );
    });

    test("with a group: its values are joined in their order, whoever ends first", async (stage) => {
      const flow = chordOf(["list", "list", "list"]);
      await stage.engine.flows.begin(flow);
      const consumer = stage.consume();
      const [a, b, c] = await takeAll(consumer, 3);
      await consumer.settleAndTake({ settle: [endOf(c)], take: 0 });
      await consumer.settleAndTake({ settle: [endOf(b), endOf(a)], take: 0 });
      equal(argsOf(await play(stage, consumer, flow)), [[[[0], [1], [2]]], [[[[0], [1], [2]]]]]);
    });

    test("with an empty group: it passes as an empty array", async (stage) => {
      const flow = flowOf([{ task: "list" }], [{ size: 0, next: [["step", 0]] }], [["open", 0]]);
      await stage.engine.flows.begin(flow);
      equal(argsOf(await play(stage, stage.consume(), flow)), [[[]]]);
    });

    test("with a group of 350, and 350 calls behind it: all of them run", async (stage) => {
      const numbers = Array.from({ length: 350 }, (_, call) => call);
      const member =
        (join: number) =>
        (call: number): Step => ({ task: "sum", args: [call], next: [["slot", join, call]] });
      const middle: Step = { task: "sum", next: numbers.map((call) => ["step", 351 + call] as const) };
      const joins = [
        { size: 350, next: [["step", 350] as const] },
        { size: 350, next: [["step", 701] as const] },
      ];
      const steps = [...numbers.map(member(0)), middle, ...numbers.map(member(1)), { task: "sum" }];
      const flow = { ...flowOf(steps, joins, [["steps", 0, 349]]), maxPayload: 1_000_000 };
      await stage.engine.flows.begin(flow);
      matches(await stage.counts(), { waiting: 350 });
      await play(stage, stage.consume(), flow, 50);
      const sum = (349 * 350) / 2;
      equal((await recordsOf(stage, flow)).at(-1)?.result, 350 * sum + sum);
    });

    test("by its id alone: the call that ends it is said to wait, until it has ended", async (stage) => {
      const flow = flowOf([{ task: "sum", args: [1, 2], next: [["step", 1]] }, { task: "list" }]);
      const task = { id: flow.id, queues: [], elsewhere: true };
      equal(await stage.engine.queues.locate([task]), ["absent"]);
      await stage.engine.flows.begin(flow);
      equal(await stage.other.queues.locate([task]), ["waiting"]);
      await play(stage, stage.consume(), flow);
      equal(await stage.engine.queues.locate([task]), ["absent"]);
    });

    test("in other queues, with priorities, countdowns and times: its calls go there as they say", async (stage) => {
      const flow = flowOf([
        { task: "sum", next: [1, 2, 3].map((call) => ["step", call] as const) },
        { task: "sum", queue: "urgent", message: { priority: 3 } },
        { task: "sum", queue: "later", countdown: 300, lifetime: 1000 },
        { task: "sum", queue: "later", message: { eta: stage.now() + 60_000 } },
      ]);
      await stage.engine.flows.begin(flow);
      const consumer = stage.consume(["feeds", "urgent", "later"]);
      const before = stage.now();
      await consumer.settleAndTake({ settle: [endOf(await takeOne(consumer))], take: 0 });
      matches(await stage.counts("later"), { delayed: 2 });
      equal((await takeOne(consumer)).queue, "urgent");
      const [delayed] = await stage.hear(consumer, 1);
      const { eta = 0, expires = 0 } = delayed ? contentOf(delayed) : {};
      equal([eta >= Math.floor(before) + 300, expires - eta, stage.now() >= eta], [true, 700, true]);
    });

    test("that is begun again while it runs: it is begun once", async (stage) => {
      const flow = flowOf([{ task: "list" }]);
      await stage.engine.flows.begin(flow);
      await stage.other.flows.begin(flow);
      equal((await play(stage, stage.consume(), flow)).length, 1);
    });

    test("of which a call is settled twice, and once without its lease: it goes on once", async (stage) => {
      const flow = flowOf([{ task: "list", next: [["step", 1]] }, { task: "list" }]);
      await stage.engine.flows.begin(flow);
      const consumer = stage.consume();
      const delivery = await takeOne(consumer);
      const lost = {
        ...endOf(delivery, outcomes.requeued),
        delivery: { ...delivery, token: "lost" },
        store: storeOf(delivery.id, { state: "RETRY" }),
      };
      matches(await consumer.settleAndTake({ settle: [lost], take: 0 }), { settled: ["lost"] });
      matches(await stage.counts(), { waiting: 0, active: 1 });
      await consumer.settleAndTake({ settle: [endOf(delivery)], take: 0 });
      matches(await consumer.settleAndTake({ settle: [endOf(delivery)], take: 0 }), { settled: ["lost"] });
      matches(await stage.counts(), { waiting: 1, active: 0 });
    });

    test("where another result was stored first: it goes on with that", async (stage) => {
      const flow = flowOf([{ task: "list", args: ["late"], next: [["step", 1]] }, { task: "list" }]);
      await stage.engine.flows.begin(flow);
      const consumer = stage.consume();
      const delivery = await takeOne(consumer);
      await stage.engine.results.store([storeOf(delivery.id, { resultText: '"first"' })]);
      matches(await consumer.settleAndTake({ settle: [endOf(delivery)], take: 0 }), { settled: ["settled"] });
      equal(argsOf(await play(stage, consumer, flow)), [["first"]]);
    });

    test("with a success whose lease had run out, while a later delivery runs: it goes on once", async (stage) => {
      const flow = flowOf([{ task: "list", next: [["step", 1]] }, { task: "list" }]);
      await stage.engine.flows.begin(flow);
      const [late, next] = [
        stage.consume(["feeds"], { lease: stage.space.lease }),
        stage.consume(["feeds"], { worker: "worker-b", scan: 100 }),
      ];
      const delivery = await takeOne(late);
      await stage.eventually("recovery", async () => (await next.recover()) === 1);
      const later = await takeOne(next);
      await stage.engine.results.claim([{ id: later.id, delivery: later.number, expires: 60_000, worker: "worker-b" }]);
      const first = { type: "succeeded", result: '"first"' } as const;
      matches(await late.settleAndTake({ settle: [endOf(delivery, first)], take: 0 }), { settled: ["settled"] });
      matches(await stage.counts(), { waiting: 1, active: 0 });
      matches(await next.settleAndTake({ settle: [endOf(later)], take: 0 }), { settled: ["lost"] });
      equal(argsOf(await play(stage, next, flow)), [["first"]]);
    });

    test("in the place of a task: what comes of it is the value of that task in its own flow", async (stage) => {
      const outer = flowOf([{ task: "list", next: [["step", 1]] }, { task: "list" }]);
      await stage.engine.flows.begin(outer);
      const consumer = stage.consume();
      const replaced = await takeOne(consumer);
      const own = flowOf([{ task: "list", args: ["instead"] }]);
      const { message, ...call } = callIn(own, 0);
      const positions = [...(message.positions ?? []), ...(contentOf(replaced).positions ?? [])];
      const standing: FlowCall = { ...call, message: { ...message, positions, replaces: [{ id: replaced.id, task: "list" }] } };
      const inner = { ...own, calls: [standing] };
      await stage.engine.flows.begin(inner);
      await consumer.settleAndTake({ settle: [{ delivery: replaced, outcome: { type: "replaced", flow: inner } }], take: 0 });
      equal(argsOf(await play(stage, consumer, outer)), [["instead"], [["instead"]]]);
    });

    test("in the place of a task that was revoked: it is called off", async (stage) => {
      const outer = flowOf([{ task: "list" }]);
      await stage.engine.flows.begin(outer);
      const consumer = stage.consume();
      const replaced = await takeOne(consumer);
      const inner = flowOf([{ task: "list", queue: "other" }, { task: "list" }]);
      await stage.engine.flows.begin(inner);
      await stage.engine.results.store([storeOf(replaced.id, { state: "REVOKED", reason: "too late" })]);
      const store = storeOf(replaced.id, { state: "STARTED" });
      const settlement = { delivery: replaced, outcome: { type: "replaced", flow: inner }, store } as const;
      matches(await consumer.settleAndTake({ settle: [settlement], take: 0 }), { settled: ["settled"] });
      const record = { state: "REVOKED", reason: "too late" };
      matches(await recordsOf(stage, inner), [record, record]);
      equal((await takeOne(stage.consume(["other"]))).revoked, "too late");
      equal(await stage.engine.flows.revoke(outer.id, []), undefined);
    });

    test("of which a message says something else than its flow: it is forged", async (stage) => {
      const flow = flowOf([{ task: "list", next: [["step", 1]] }, { task: "list" }]);
      await stage.engine.flows.begin(flow);
      const [delivery] = await take(stage.consume(), 1);
      const message = delivery ? contentOf(delivery) : callIn(flow, 0).message;
      const { positions: _, ...alone } = message;
      const messages = [
        { queue: "feeds", message },
        { queue: "others", message },
        { queue: "feeds", message: { ...message, task: "another" } },
        { queue: "feeds", message: { ...message, positions: [{ flow: flow.id, call: 0, next: [] }] } },
        { queue: "feeds", message: { ...message, positions: [{ flow: callIn(flow, 0).message.id, call: 0, next: [] }] } },
        { queue: "feeds", message: alone },
        { queue: "feeds", message: { ...alone, replaces: [{ id: flow.id, task: "list" }] } },
      ];
      const standings = ["sound", "forged", "forged", "forged", "ended", "sound", "forged"];
      equal(await stage.other.flows.standings(messages), standings);
    });
  });
}
