import { describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { describeAdditions } from "./additions.js";
import type { Target } from "../../src/protocol/flow-position.js";
import { newId } from "../../src/protocol/id.js";
import { contentOf, outcomes, storeOf } from "./messages.js";
import { flowOf, play, recordsOf, settlementOf } from "./flow-play.js";
import type { Kept } from "./kept.js";
import type { Stage } from "./stage.js";
import { hear, take, takeOne } from "./waiting.js";

export function describeFlows(stage: () => Stage, flows: Kept): void {
  const { keys, hash: kept } = flows;
  describeAdditions(stage, flows);

  describe("a flow", () => {
    const results = async (flow: ReturnType<typeof flowOf>) => (await recordsOf(stage(), flow)).map((record) => record?.result);

    test("hands a value on from step to step, before their own arguments", async () => {
      const flow = flowOf([
        { task: "sum", args: [1, 2], next: [["step", 1]] },
        { task: "list", args: ["own"], next: [["step", 2]] },
        { task: "list", next: [["step", 3]] },
        { task: "list", args: ["alone"], takesValue: false },
      ]);
      await stage().engine.flows.begin(flow);
      const consumer = stage().consume(["feeds"]);
      const played = await play(stage(), consumer, flow);
      expect(played.map(({ args }) => args)).toEqual([[1, 2], [3, "own"], [[3, "own"]], ["alone"]]);
      expect(await results(flow)).toEqual([3, [3, "own"], [[3, "own"]], ["alone"]]);
      expect(await keys()).toEqual([]);
    });

    test("joins the values of members in their order, whoever ends first", async () => {
      const flow = flowOf(
        [
          { task: "list", args: [0], next: [["slot", 0, 0]] },
          { task: "list", args: [1], next: [["slot", 0, 1]] },
          { task: "list", args: [2], next: [["slot", 0, 2]] },
          { task: "list", args: ["body"] },
        ],
        [{ size: 3, next: [["step", 3]] }],
        [
          ["step", 0],
          ["step", 1],
          ["step", 2],
        ],
      );
      await stage().engine.flows.begin(flow);
      const consumer = stage().consume(["feeds"]);
      const [a, b, c] = await take(consumer, 3);
      await consumer.settleAndTake({ settle: [settlementOf(c!)], take: 0 });
      await consumer.settleAndTake({ settle: [settlementOf(b!), settlementOf(a!)], take: 0 });
      expect((await play(stage(), consumer, flow)).map(({ args }) => args)).toEqual([[[[0], [1], [2]], "body"]]);
      expect(await keys()).toEqual([]);
    });

    test("says by its id alone that the call which ends it has its turn still to come", async () => {
      const flow = flowOf([{ task: "sum", args: [1, 2], next: [["step", 1]] }, { task: "list" }]);
      const task = { id: flow.id, queues: [], elsewhere: true };
      expect(await stage().engine.queues.locate([task])).toEqual(["absent"]);
      await stage().engine.flows.begin(flow);
      expect(await stage().engine.queues.locate([task])).toEqual(["waiting"]);
      await play(stage(), stage().consume(["feeds"]), flow);
      expect(await stage().engine.queues.locate([task])).toEqual(["absent"]);
    });

    test("lets an empty group pass as an empty array", async () => {
      const flow = flowOf([{ task: "list" }], [{ size: 0, next: [["step", 0]] }], [["open", 0]]);
      await stage().engine.flows.begin(flow);
      expect((await play(stage(), stage().consume(["feeds"]), flow)).map(({ args }) => args)).toEqual([[[]]]);
    });

    test("goes on in other queues, with priorities, delays and times", async () => {
      const eta = Date.now() + 60_000;
      const next: readonly Target[] = [
        ["step", 1],
        ["step", 2],
        ["step", 3],
      ];
      const flow = flowOf([
        { task: "sum", next },
        { task: "sum", queue: "urgent", message: { priority: 3 } },
        { task: "sum", queue: "later", countdown: 300, lifetime: 1000 },
        { task: "sum", queue: "later", message: { eta } },
      ]);
      await stage().engine.flows.begin(flow);
      const consumer = stage().consume(["feeds", "urgent", "later"]);
      const before = Date.now();
      await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer))], take: 0 });
      expect(await stage().counts("later")).toMatchObject({ delayed: 2 });
      expect((await takeOne(consumer)).queue).toBe("urgent");
      const [delayed] = await hear(consumer, 1);
      const message = contentOf(delayed!);
      expect(message.eta).toBeGreaterThanOrEqual(before + 300);
      expect(message.expires).toBe(message.eta! + 700);
      expect(Date.now()).toBeGreaterThanOrEqual(message.eta!);
    });

    test("calls links after a success, error links after a failure, and drops the others with all behind them", async () => {
      const flow = flowOf(
        [
          {
            task: "sum",
            args: [4],
            next: [
              ["link", 1],
              ["error", 2],
            ],
          },
          { task: "list", args: ["linked"] },
          {
            task: "list",
            next: [
              ["step", 3],
              ["slot", 0, 0],
            ],
          },
          { task: "list", next: [["slot", 0, 1]] },
          { task: "list" },
        ],
        [{ next: [["step", 4]] }],
      );
      await stage().engine.flows.begin(flow);
      const played = await play(stage(), stage().consume(["feeds"]), flow);
      expect(played.map(({ args }) => args)).toEqual([[4], [4, "linked"]]);
      expect(await keys()).toEqual([]);
    });

    test("fails the steps behind a failure without running them, and tells error links who failed", async () => {
      const flow = flowOf([
        { task: "fail", args: [7], next: [["step", 1]] },
        {
          task: "list",
          next: [
            ["step", 2],
            ["link", 3],
          ],
        },
        { task: "list", next: [["error", 4]] },
        { task: "list" },
        { task: "list", args: ["told"] },
      ]);
      await stage().engine.flows.begin(flow);
      const played = await play(stage(), stage().consume(["feeds"]), flow);
      const [first] = flow.calls;
      const origin = { id: first!.message.id, task: "fail" };
      const failure = { name: "RangeError", message: "no 7" };
      expect(played.map(({ task, args }) => [task, args])).toEqual([
        ["fail", [7]],
        ["list", [{ ...origin, state: "FAILURE", failure }, "told"]],
      ]);
      expect(await recordsOf(stage(), flow)).toMatchObject(
        [
          { state: "FAILURE", failure },
          { state: "FAILURE", failure, origin, task: "list", queue: "feeds" },
          { state: "FAILURE", failure, origin },
          {},
          { state: "SUCCESS" },
        ].map((record) => (Object.keys(record).length === 0 ? undefined : record)) as unknown[],
      );
      expect(await keys()).toEqual([]);
    });

    test("tells error links of the calls that they are for, and of no others", async () => {
      const flow = flowOf([
        {
          task: "fail",
          args: [7],
          next: [
            ["step", 1],
            ["error", 3, 0, 0],
          ],
        },
        {
          task: "list",
          next: [
            ["step", 2],
            ["error", 4, 1, 1],
          ],
        },
        {
          task: "list",
          next: [
            ["error", 5, 2, 2],
            ["error", 6, 0, 2],
            ["error", 7, 1, 2],
          ],
        },
        ...["own", "second", "third", "all", "inner"].map((args) => ({ task: "list", args: [args] })),
      ]);
      await stage().engine.flows.begin(flow);
      const played = await play(stage(), stage().consume(["feeds"]), flow);
      expect(played.slice(1).map(({ args }) => args[1])).toEqual(["own", "all"]);
      expect(await keys()).toEqual([]);
    });

    test("takes the call behind a join that failed for what failed, and tells its error links its name", async () => {
      const flow = flowOf(
        [
          { task: "fail", args: [1], next: [["slot", 0, 0]] },
          {
            task: "sum",
            next: [
              ["step", 2],
              ["error", 3, 1, 1],
            ],
          },
          {
            task: "list",
            next: [
              ["error", 4, 2, 2],
              ["error", 5, 0, 2],
            ],
          },
          ...["body", "behind", "all"].map((args) => ({ task: "list", args: [args] })),
        ],
        [{ size: 1, next: [["step", 1]] }],
      );
      await stage().engine.flows.begin(flow);
      const played = await play(stage(), stage().consume(["feeds"]), flow);
      const told = { id: flow.calls[1]!.message.id, task: "sum", state: "FAILURE", failure: { code: "CHORD_FAILED" } };
      expect(played.slice(1).map(({ args }) => args)).toMatchObject([
        [told, "body"],
        [told, "all"],
      ]);
      const origin = { id: flow.joins[0]!.id, task: "group" };
      expect((await recordsOf(stage(), flow)).slice(1, 3)).toMatchObject([{ origin }, { origin }]);
      expect(await keys()).toEqual([]);
    });

    test("in whose place another ran fails as its own call, whatever failed there stood before", async () => {
      const outer = flowOf(
        [
          {
            task: "list",
            next: [
              ["slot", 0, 0],
              ["error", 2, 0, 0],
            ],
          },
          { task: "list", args: ["body"] },
          { task: "list", args: ["told"] },
        ],
        [{ size: 1, onFailure: "partial", next: [["step", 1]] }],
      );
      await stage().engine.flows.begin(outer);
      const consumer = stage().consume(["feeds"]);
      const replaced = await takeOne(consumer);
      // Its last call begins a group of its own, of the same number as that of the other flow.
      const own = flowOf([
        { task: "fail", args: [7], next: [["step", 1]] },
        { task: "list", startsMembersOf: [0] },
      ]);
      const [first, last] = own.calls;
      const positions = [...last!.message.positions!, ...contentOf(replaced).positions!];
      const message = { ...last!.message, positions, replaces: [{ id: replaced.id, task: "list" }] };
      const inner = { ...own, calls: [first!, { ...last!, message }] };
      await stage().engine.flows.begin(inner);
      await consumer.settleAndTake({ settle: [{ delivery: replaced, outcome: { type: "replaced", flow: inner } }], take: 0 });
      const played = await play(stage(), consumer, outer);
      expect(played.map(({ args }) => args)).toMatchObject([[7], [{ task: "fail" }, "told"], [[null], "body"]]);
      expect(await keys()).toEqual([]);
    });

    test("goes on at once where a message is revoked that is not due yet", async () => {
      const flow = flowOf([
        { task: "list", message: { eta: Date.now() + 3_600_000 }, next: [["error", 1, 0, 0]] },
        { task: "list", args: ["told"], isLink: true },
      ]);
      await stage().engine.flows.begin(flow);
      expect(await stage().counts("feeds")).toMatchObject({ delayed: 1 });
      const { ids, queues } = (await stage().engine.flows.revoke(flow.id, "all"))!;
      const [marked] = await stage().engine.queues.revoke(ids, queues, { reason: "too late", terminate: false });
      expect(marked).toMatchObject({ location: "waiting" });
      expect(marked).not.toHaveProperty("due");
      const consumer = stage().consume(["feeds"]);
      const [dropped] = await hear(consumer, 1);
      expect(dropped?.revoked).toBe("too late");
      await consumer.settleAndTake({ settle: [settlementOf(dropped!, { type: "revoked", reason: "too late" })], take: 0 });
      expect((await play(stage(), consumer, flow)).map(({ args }) => args)).toMatchObject([[{ state: "REVOKED" }, "told"]]);
    });

    const chord = (tasks: readonly string[], onFailure: "fail" | "partial" = "fail") =>
      flowOf(
        [
          ...tasks.map((task, slot) => ({ task, args: [slot], next: [["slot", 0, slot] as const] })),
          { task: "list", next: [["step", tasks.length + 1] as const] },
          { task: "list" },
        ],
        [{ size: tasks.length, onFailure, next: [["step", tasks.length]] }],
        tasks.map((_, call) => ["step", call] as const),
      );

    test("fails a join of which members have failed, and names them", async () => {
      const flow = chord(["list", "fail", "revoke", "list"]);
      await stage().engine.flows.begin(flow);
      const played = await play(stage(), stage().consume(["feeds"]), flow);
      expect(played).toHaveLength(4);
      const [, failed, revoked] = flow.calls;
      const failure = {
        name: "ChordError",
        code: "CHORD_FAILED",
        message:
          `2 of 4 members of a group failed: fail[${failed!.message.id}] failed: RangeError: no 1; ` +
          `revoke[${revoked!.message.id}] was revoked: by hand`,
        cause: { name: "RangeError", message: "no 1" },
      };
      const origin = { id: flow.joins[0]!.id, task: "group" };
      expect((await recordsOf(stage(), flow)).slice(4)).toMatchObject([
        { state: "FAILURE", failure, origin },
        { state: "FAILURE", failure, origin },
      ]);
      expect(await keys()).toEqual([]);
    });

    test("puts null in the place of members that have failed, if that is wanted", async () => {
      const flow = chord(["list", "fail", "list"], "partial");
      await stage().engine.flows.begin(flow);
      await play(stage(), stage().consume(["feeds"]), flow);
      expect((await results(flow)).slice(3)).toEqual([[[[0], null, [2]]], [[[[0], null, [2]]]]]);
    });

    test("fails what is behind a group as the step before the group has failed", async () => {
      const flow = flowOf(
        [
          {
            task: "fail",
            args: [1],
            next: [
              ["step", 1],
              ["step", 2],
            ],
          },
          { task: "list", next: [["slot", 0, 0]], startsMembersOf: [0] },
          { task: "list", next: [["slot", 0, 1]], startsMembersOf: [0] },
          { task: "list" },
        ],
        [{ next: [["step", 3]], onFailure: "partial" }],
      );
      await stage().engine.flows.begin(flow);
      await play(stage(), stage().consume(["feeds"]), flow);
      expect((await recordsOf(stage(), flow))[3]).toMatchObject({ failure: { name: "RangeError" }, origin: { task: "fail" } });
    });

    test("fails two thousand calls in lots, with a long mishap, and tells it once a call", { timeout: 400_000 }, async () => {
      const members = Array.from({ length: 2000 }, (_, call) => call);
      const { backend } = stage().broker;
      const told = new Map<string, number>();
      const deaf = await backend.subscribe((id) => void told.set(id, (told.get(id) ?? 0) + 1));
      const flow = flowOf(
        [
          { task: "fail", args: ["x".repeat(9000)], next: [["steps", 1, 2000]] },
          ...members.map((slot) => ({ task: "list", next: [["slot", 0, slot] as const], startsMembersOf: [0] })),
          { task: "list" },
        ],
        [{ size: 2000, next: [["step", 2001]] }],
      );
      await stage().engine.flows.begin({ ...flow, maxPayload: 1_000_000, replyTo: backend.replyChannel, expires: 3_600_000 });
      const consumer = stage().consume(["feeds"]);
      await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer))], take: 0 });
      const over = async () => {
        // Where a command takes longer than its deadline, the lots go on as with a worker: by whoever mends.
        await consumer.repairFlows(15_000).catch(() => 0);
        return (await stage().engine.flows.revoke(flow.id, [])) === undefined;
      };
      await eventually("end of the flow", over);
      const records = (await recordsOf(stage(), flow)).slice(1);
      expect(records.filter((record) => record?.state === "FAILURE")).toHaveLength(2001);
      expect(records.at(-1)).toMatchObject({ failure: { name: "RangeError" }, origin: { task: "fail" } });
      // The first has no reply channel of its own, and so tells nobody.
      const failed = flow.calls.slice(1).map(({ message }) => message.id);
      await eventually("all notifications", () => told.size >= failed.length);
      expect(failed.filter((id) => told.get(id) !== 1)).toEqual([]);
      expect(told.size).toBe(failed.length);
      deaf();
      expect(await stage().counts("feeds")).toMatchObject({ waiting: 0, active: 0 });
      expect(await keys()).toEqual([]);
      await backend.forget(flow.calls.map(({ message }) => message.id));
    });

    test("fails a join whose values are too long together", async () => {
      const flow = flowOf(
        [
          { task: "list", args: ["x".repeat(600)], next: [["slot", 0, 0]] },
          { task: "list", args: ["y".repeat(600)], next: [["slot", 0, 1]] },
          { task: "list" },
        ],
        [{ next: [["step", 2]] }],
        [
          ["step", 0],
          ["step", 1],
        ],
      );
      await stage().engine.flows.begin(flow);
      await play(stage(), stage().consume(["feeds"]), flow);
      expect((await recordsOf(stage(), flow))[2]).toMatchObject({ state: "FAILURE", failure: { code: "PAYLOAD_TOO_LARGE" } });
      expect(await keys()).toEqual([]);
    });

    test("sends what is much in small lots, from its beginning and from its middle", async () => {
      const members = Array.from({ length: 350 }, (_, call) => call);
      const flow = flowOf(
        [
          ...members.map((call) => ({ task: "sum", args: [call], next: [["slot", 0, call] as const] })),
          { task: "sum", next: members.map((call) => ["step", 351 + call] as const) },
          ...members.map((call) => ({ task: "sum", args: [call], next: [["slot", 1, call] as const] })),
          { task: "sum" },
        ],
        [
          { size: 350, next: [["step", 350]] },
          { size: 350, next: [["step", 701]] },
        ],
        members.map((call) => ["step", call] as const),
      );
      const large = { ...flow, maxPayload: 1_000_000 };
      await stage().engine.flows.begin(large);
      expect(await stage().counts("feeds")).toMatchObject({ waiting: 350 });
      const consumer = stage().consume(["feeds"]);
      await play(stage(), consumer, large, 50);
      const sum = (349 * 350) / 2;
      expect((await results(large)).at(-1)).toBe(350 * sum + sum);
      expect(await keys()).toEqual([]);
    });

    test("goes on with the result that was stored first, not with a later one", async () => {
      const flow = flowOf([{ task: "list", args: ["late"], next: [["step", 1]] }, { task: "list" }]);
      await stage().engine.flows.begin(flow);
      const consumer = stage().consume(["feeds"]);
      const delivery = await takeOne(consumer);
      const first = { type: "succeeded", result: '"first"' } as const;
      await stage().broker.backend.store([settlementOf(delivery, first).store!]);
      expect(await consumer.settleAndTake({ settle: [settlementOf(delivery)], take: 0 })).toMatchObject({ settled: ["settled"] });
      expect((await play(stage(), consumer, flow)).map(({ args }) => args)).toEqual([["first"]]);
    });

    test("goes on once, however often a delivery is settled, and not by one whose lease is lost", async () => {
      const flow = flowOf([{ task: "list", next: [["step", 1]] }, { task: "list" }]);
      await stage().engine.flows.begin(flow);
      const consumer = stage().consume(["feeds"]);
      const delivery = await takeOne(consumer);
      const lost = { ...settlementOf(delivery, outcomes.requeued), delivery: { ...delivery, token: "lost" } };
      expect(await consumer.settleAndTake({ settle: [lost], take: 0 })).toMatchObject({ settled: ["lost"] });
      expect(await stage().counts("feeds")).toMatchObject({ waiting: 0, active: 1 });
      await consumer.settleAndTake({ settle: [settlementOf(delivery)], take: 0 });
      expect(await consumer.settleAndTake({ settle: [settlementOf(delivery)], take: 0 })).toMatchObject({ settled: ["lost"] });
      expect(await stage().counts("feeds")).toMatchObject({ waiting: 1, active: 0 });
    });

    test("goes on once by a success whose lease had run out, though a later delivery runs", async () => {
      const flow = flowOf([{ task: "list", next: [["step", 1]] }, { task: "list" }]);
      await stage().engine.flows.begin(flow);
      const [late, other] = [stage().consume(["feeds"], { lease: 1000 }), stage().consume(["feeds"], { worker: "worker-b", scan: 100 })];
      const delivery = await takeOne(late);
      await eventually("message to recover", async () => (await other.recover()) === 1);
      const later = await takeOne(other);
      await stage().broker.backend.claim([{ id: later.id, delivery: later.number, expires: 60_000, worker: "worker-b" }]);
      const first = { type: "succeeded", result: '"first"' } as const;
      expect(await late.settleAndTake({ settle: [settlementOf(delivery, first)], take: 0 })).toMatchObject({ settled: ["settled"] });
      expect(await stage().counts("feeds")).toMatchObject({ waiting: 1, active: 0 });
      expect(await other.settleAndTake({ settle: [settlementOf(later)], take: 0 })).toMatchObject({ settled: ["lost"] });
      expect((await play(stage(), other, flow)).map(({ args }) => args)).toEqual([["first"]]);
    });

    test("that is revoked still tells its links", async () => {
      const flow = flowOf([
        { task: "list", next: [["error", 1]] },
        { task: "list", args: ["told"], isLink: true },
      ]);
      await stage().engine.flows.begin(flow);
      const { ids, queues } = (await stage().engine.flows.revoke(flow.id, "all"))!;
      expect(ids).toEqual([flow.calls[0]!.message.id]);
      await stage().engine.queues.revoke(ids, queues, { reason: "too late", terminate: false });
      const consumer = stage().consume(["feeds"]);
      const dropped = await takeOne(consumer);
      await consumer.settleAndTake({ settle: [settlementOf(dropped, { type: "revoked", reason: "too late" })], take: 0 });
      expect((await play(stage(), consumer, flow)).map(({ args }) => args)).toMatchObject([
        [{ state: "REVOKED", reason: "too late" }, "told"],
      ]);
    });

    test("takes what was called off before it was sent for something to be looked up", async () => {
      const flow = flowOf([
        { task: "list", next: [["step", 1]] },
        { task: "list", queue: "other" },
      ]);
      await stage().engine.flows.begin(flow);
      const ids = flow.calls.map(({ message }) => message.id);
      expect(await stage().engine.flows.revoke(flow.id, "all")).toEqual({ ids, queues: ["feeds", "other"] });
      expect(await stage().engine.flows.revoke(flow.id, [1])).toEqual({ ids: [ids[1]], queues: ["feeds", "other"] });
      const consumer = stage().consume(["feeds", "other"]);
      await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer))], take: 0 });
      expect(await stage().engine.flows.revoke(flow.id, "all")).toMatchObject({ ids: [ids[1]] });
      expect(contentOf(await takeOne(consumer))).toMatchObject({ resent: true });
    });

    test("goes on for the tasks in whose place a call runs, in their flows", async () => {
      const outer = flowOf([{ task: "list", next: [["step", 1]] }, { task: "list" }]);
      await stage().engine.flows.begin(outer);
      const consumer = stage().consume(["feeds"]);
      const replaced = await takeOne(consumer);
      const own = flowOf([{ task: "list", args: ["instead"] }]);
      const [call] = own.calls;
      const positions = [...call!.message.positions!, ...contentOf(replaced).positions!];
      const inner = {
        ...own,
        calls: [{ ...call!, message: { ...call!.message, positions, replaces: [{ id: replaced.id, task: "list" }] } }],
      };
      await stage().engine.flows.begin(inner);
      await consumer.settleAndTake({ settle: [{ delivery: replaced, outcome: { type: "replaced", flow: inner } }], take: 0 });
      expect((await play(stage(), consumer, outer)).map(({ args }) => args)).toEqual([["instead"], [["instead"]]]);
      expect(await keys()).toEqual([]);
    });

    test("that runs in the place of a task is called off when that was revoked", async () => {
      const outer = flowOf([{ task: "list" }]);
      await stage().engine.flows.begin(outer);
      const consumer = stage().consume(["feeds"]);
      const replaced = await takeOne(consumer);
      const inner = flowOf([{ task: "list", queue: "other" }, { task: "list" }], [], [["step", 0]]);
      await stage().engine.flows.begin(inner);
      const { store } = settlementOf(replaced, { type: "revoked", reason: "too late" });
      await stage().broker.backend.store([store!]);
      const record = storeOf(replaced.id, { state: "STARTED" });
      const settlement = { delivery: replaced, outcome: { type: "replaced", flow: inner }, store: record } as const;
      expect(await consumer.settleAndTake({ settle: [settlement], take: 0 })).toMatchObject({ settled: ["settled"] });
      expect(await recordsOf(stage(), inner)).toMatchObject([
        { state: "REVOKED", reason: "too late" },
        { state: "REVOKED", reason: "too late" },
      ]);
      expect((await takeOne(stage().consume(["other"]))).revoked).toBe("too late");
      expect(await stage().engine.flows.revoke(outer.id, [])).toBeUndefined();
    });

    test("tells the tasks in whose place a call runs when its message has gone", async () => {
      const replaced = { id: newId(), task: "outer" };
      const flow = flowOf([{ task: "list", message: { replaces: [replaced] } }]);
      await stage().engine.flows.begin(flow);
      await stage().engine.queues.purge("feeds");
      const consumer = stage().consume(["feeds"]);
      await eventually("mended flow", async () => (await consumer.repairFlows(1)) === 1);
      expect(await stage().broker.backend.read([replaced.id])).toMatchObject([{ state: "REVOKED", task: "outer" }]);
      await stage().broker.backend.forget([replaced.id]);
    });

    test("that is revoked ends, though nobody takes its messages", async () => {
      const flow = flowOf([
        { task: "list", queue: "nobodys", next: [["step", 1]] },
        { task: "list", queue: "nobodys" },
      ]);
      await stage().engine.flows.begin(flow);
      const { ids, queues } = (await stage().engine.flows.revoke(flow.id, "all"))!;
      await stage().engine.queues.revoke(ids, queues, { reason: "too late", terminate: false });
      const consumer = stage().consume(["feeds"]);
      await eventually("mended flow", async () => (await consumer.repairFlows(1)) === 1);
      expect(await recordsOf(stage(), flow)).toMatchObject([{ state: "REVOKED" }, { state: "REVOKED" }]);
      expect(await keys()).toEqual([]);
    });

    test("keeps no values that are too long together, and is started anew under its id at once", async () => {
      const long = "x".repeat(700);
      const flow = flowOf(
        [
          ...[0, 1, 2].map((slot) => ({ task: "list", args: [long], next: [["slot", 0, slot] as const], message: { resent: true } })),
          { task: "list" },
        ],
        [{ size: 3, next: [["step", 3]] }],
        [["steps", 0, 2]],
      );
      await stage().engine.flows.begin(flow);
      const consumer = stage().consume(["feeds"]);
      const some = await take(consumer, 2);
      await consumer.settleAndTake({ settle: some.map((one) => settlementOf(one)), take: 0 });
      expect(await kept(`${flow.id}:0`)).toMatchObject({ 0: expect.stringContaining(long), 1: "+null" });
      await play(stage(), consumer, flow);
      expect((await recordsOf(stage(), flow))[3]).toMatchObject({ failure: { code: "PAYLOAD_TOO_LARGE" } });
      await stage().engine.flows.begin(flow);
      expect(await take(consumer, 5)).toHaveLength(3);
    });

    test("is started once, however often", async () => {
      const flow = flowOf([{ task: "list" }]);
      await stage().engine.flows.begin(flow);
      await stage().engine.flows.begin(flow);
      expect(await play(stage(), stage().consume(["feeds"]), flow)).toHaveLength(1);
    });

    test("that stands still is mended: with the result of a message that has gone, or as revoked", async () => {
      const flow = chord(["list", "list", "list"], "partial");
      await stage().engine.flows.begin(flow);
      const consumer = stage().consume(["feeds"]);
      const [first] = await take(consumer, 1);
      await stage().broker.backend.store([settlementOf(first!).store!]);
      await consumer.settleAndTake({ settle: [settlementOf(first!, { type: "requeued", reason: "to be removed" })], take: 0 });
      await stage().engine.queues.purge("feeds");
      expect(await consumer.repairFlows(60_000)).toBe(0);
      await eventually("mended flow", async () => (await consumer.repairFlows(1)) === 1);
      expect((await play(stage(), consumer, flow)).map(({ args }) => args)).toEqual([[[[0], null, null]], [[[[0], null, null]]]]);
      expect(await recordsOf(stage(), flow)).toMatchObject([{}, { state: "REVOKED" }, { state: "REVOKED" }, {}, {}]);
      expect(await keys()).toEqual([]);
    });
  });
}
