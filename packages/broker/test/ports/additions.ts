import { describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { additionId, newId } from "../../src/protocol/id.js";
import type { FlowAddition } from "../../src/protocol/flow.js";
import type { Message } from "../../src/protocol/message.js";
import type { Delivery } from "../../src/ports/delivery.js";
import { flowOf, play, recordsOf, settlementOf } from "./flow-play.js";
import { contentOf } from "./messages.js";
import type { Kept } from "./kept.js";
import type { Stage } from "./stage.js";
import { hear, take, takeOne } from "./waiting.js";

/** What a member adds by its call `ordinal`. */
function additionOf(member: Pick<Message, "id" | "positions" | "rootId">, ordinal: number, given: Partial<Message> = {}): FlowAddition {
  const [position] = member.positions ?? [];
  const [target] = position?.next ?? [];
  if (position === undefined || target?.[0] !== "slot") throw new Error("it is no member");
  const { id, rootId } = member;
  const own = { id: additionId(id, ordinal), task: "list", args: [`added ${ordinal}`], headers: {}, priority: 0, retries: 0, rootId };
  return { flow: position.flow, by: position.call, join: target[1], queue: "feeds", message: { ...own, ...given } };
}

/** Members that give their numbers, and a body. */
function chordOf(size: number, onFailure: "fail" | "partial" = "fail") {
  return flowOf(
    [
      ...Array.from({ length: size }, (_, slot) => ({ task: "list", args: [slot], next: [["slot", 0, slot] as const] })),
      { task: "list", args: ["body"] },
    ],
    [{ size, onFailure, next: [["step", size]] }],
    [["steps", 0, size - 1]],
  );
}

const valueIn = (played: readonly Message[]) => played.find(({ args }) => args.at(-1) === "body")?.args[0];

export function describeAdditions(stage: () => Stage, { keys, hash }: Kept): void {
  const begin = async (size: number, onFailure?: "fail" | "partial") => {
    const flow = { ...chordOf(size, onFailure), maxPayload: 100_000 };
    await stage().engine.flows.begin(flow);
    const consumer = stage().consume(["feeds"]);
    const members = await take(consumer, size);
    return { flow, consumer, members };
  };
  const add = (member: Delivery, ordinal: number, given?: Partial<Message>) =>
    stage().engine.flows.addMember(additionOf(contentOf(member), ordinal, given));
  const settle = (members: readonly Delivery[]) => members.map((member) => settlementOf(member));

  describe("a member that is added to a group while one of its members runs", () => {
    test("is waited for, and its value comes behind those of all others, in the order of adding", async () => {
      const { flow, consumer, members } = await begin(2);
      const [first, second] = members;
      expect([
        await add(second!, 0, { args: ["b0"] }),
        await add(first!, 0, { args: ["a0"] }),
        await add(second!, 1, { args: ["b1"] }),
      ]).toEqual(["added", "added", "added"]);
      expect(await hash(flow.id)).toMatchObject({ calls: "6", remaining: "6", added: "3" });
      await consumer.settleAndTake({ settle: settle(members), take: 0 });
      expect(valueIn(await play(stage(), consumer, flow, 1))).toEqual([[0], [1], ["b0"], ["a0"], ["b1"]]);
      expect(await keys()).toEqual([]);
    });

    test("is added once, however often that is asked for, and the first stands", async () => {
      const { flow, consumer, members } = await begin(1);
      const [member] = members;
      expect([await add(member!, 0), await add(member!, 0, { args: ["another"] })]).toEqual(["added", "known"]);
      await consumer.settleAndTake({ settle: settle(members), take: 0 });
      const played = await play(stage(), consumer, flow);
      expect(played.map(({ id }) => id)).toContain(additionId(member!.id, 0));
      expect(valueIn(played)).toEqual([[0], ["added 0"]]);
    });

    test("can add members itself, when all others have ended", async () => {
      const { flow, consumer, members } = await begin(1);
      await add(members[0]!, 0);
      await consumer.settleAndTake({ settle: settle(members), take: 0 });
      const further = await takeOne(consumer);
      expect(await add(further, 0, { args: ["further"] })).toBe("added");
      await consumer.settleAndTake({ settle: settle([further]), take: 0 });
      expect(valueIn(await play(stage(), consumer, flow))).toEqual([[0], ["added 0"], ["further"]]);
    });

    test("is not added for one that has ended, nor to a flow that has, or that is not there", async () => {
      const { flow, consumer, members } = await begin(2);
      const [first, second] = members;
      await consumer.settleAndTake({ settle: settle([first!]), take: 0 });
      expect(await add(first!, 0)).toBe("ended");
      await consumer.settleAndTake({ settle: settle([second!]), take: 0 });
      expect(valueIn(await play(stage(), consumer, flow))).toEqual([[0], [1]]);
      expect(await add(second!, 0)).toBe("ended");
      expect(await stage().engine.flows.addMember({ ...additionOf(contentOf(first!), 0), flow: newId() })).toBe("ended");
      expect(await keys()).toEqual([]);
    });

    test("stands where its flow says, for workers that know the flow from before and for others", async () => {
      const { flow, consumer, members } = await begin(1);
      const standing = (queue: string, message: Message) => stage().engine.flows.standings([{ queue, message }]);
      expect(await standing("feeds", contentOf(members[0]!))).toEqual(["sound"]);
      await add(members[0]!, 0);
      const added = contentOf(await takeOne(consumer));
      expect(added.positions).toEqual([{ flow: flow.id, call: 2, next: [["slot", 0, 1]] }]);
      const other = stage()
        .broker.connect()
        .flows.standings([{ queue: "feeds", message: added }]);
      expect([await standing("feeds", added), await other]).toEqual([["sound"], ["sound"]]);
      const forged: readonly [string, Message][] = [
        ["others", added],
        ["feeds", { ...added, task: "another" }],
        ["feeds", { ...added, id: newId() }],
        ["feeds", { ...added, positions: [{ flow: flow.id, call: 2, next: [["slot", 0, 0]] }] }],
        ["feeds", { ...added, positions: [{ flow: flow.id, call: 3, next: [["slot", 0, 1]] }] }],
        ["feeds", { ...added, replaces: [{ id: newId(), task: "another" }] }],
      ];
      for (const [queue, message] of forged) expect(await standing(queue, message)).toEqual(["forged"]);
    });

    test("keeps its priority, its delay and its queue, whatever its arguments look like", async () => {
      const { flow, consumer, members } = await begin(1);
      const planted = { positions: [{ flow: flow.id, call: 0, next: [["slot", 0, 0]] }] };
      const eta = Date.now() + 300;
      const addition = additionOf(contentOf(members[0]!), 0, { args: [planted], eta, replyTo: "bullrush:reply:there" });
      await stage().engine.flows.addMember({ ...addition, queue: "later" });
      expect(await stage().counts("later")).toMatchObject({ delayed: 1 });
      await add(members[0]!, 1, { priority: 3 });
      expect(contentOf(await takeOne(consumer))).toMatchObject({ priority: 3, positions: [{ call: 3 }] });
      const [delayed] = await hear(stage().consume(["later"]), 1);
      expect(contentOf(delayed!)).toMatchObject({ args: [planted], eta, replyTo: "bullrush:reply:there", positions: [{ call: 2 }] });
      expect((await stage().engine.flows.revoke(flow.id, []))?.queues).toEqual(["feeds", "later"]);
    });

    test.each(["fail", "partial"] as const)("fails the group as the others do: %s", async (onFailure) => {
      const { flow, consumer, members } = await begin(1, onFailure);
      await add(members[0]!, 0, { task: "fail", args: [7] });
      await consumer.settleAndTake({ settle: settle(members), take: 0 });
      const played = await play(stage(), consumer, flow);
      expect(valueIn(played)).toEqual(onFailure === "fail" ? undefined : [[0], null]);
      const body = (await recordsOf(stage(), flow)).at(-1);
      const message = `1 of 2 members of a group failed: fail[${additionId(members[0]!.id, 0)}] failed: RangeError: no 7`;
      expect(body).toMatchObject(onFailure === "fail" ? { state: "FAILURE", failure: { message } } : { state: "SUCCESS" });
      expect(await keys()).toEqual([]);
    });

    test("runs where another member has failed before, as all others do", async () => {
      const { flow, consumer, members } = await begin(2);
      const [first, second] = members;
      const failure = { name: "RangeError", message: "no" };
      await consumer.settleAndTake({ settle: [settlementOf(second!, { type: "failed", failure })], take: 0 });
      expect(await add(first!, 0)).toBe("added");
      await consumer.settleAndTake({ settle: settle([first!]), take: 0 });
      expect((await play(stage(), consumer, flow)).map(({ args }) => args)).toEqual([["added 0"]]);
      expect((await recordsOf(stage(), flow)).at(-1)).toMatchObject({ state: "FAILURE", failure: { code: "CHORD_FAILED" } });
      expect(await keys()).toEqual([]);
    });

    test("is called off with the flow, whether it was added before or after", async () => {
      const { flow, consumer, members } = await begin(1);
      const [member] = members;
      await add(member!, 0);
      const found = await stage().engine.flows.revoke(flow.id, "all");
      expect(found?.ids.toSorted()).toEqual([member!.id, flow.calls[1]!.message.id, additionId(member!.id, 0)].toSorted());
      await stage().engine.queues.revoke(found!.ids, found!.queues, { reason: "by hand", terminate: false });
      expect(await add(member!, 1, { eta: Date.now() + 3_600_000 })).toBe("added");
      const dropped = await hear(consumer, 2);
      expect(Object.fromEntries(dropped.map(({ id, revoked }) => [id, revoked]))).toEqual({
        [additionId(member!.id, 0)]: "by hand",
        [additionId(member!.id, 1)]: "its chord was revoked",
      });
      const revoked = [member!, ...dropped].map((delivery) => settlementOf(delivery, { type: "revoked", reason: "by hand" }));
      await consumer.settleAndTake({ settle: revoked, take: 0 });
      await eventually("the flow is over", async () => (await keys()).length === 0);
    });

    test("whose message has gone from its queue counts as revoked, as that of any other", async () => {
      const { flow, consumer, members } = await begin(1, "partial");
      await add(members[0]!, 0);
      await stage().engine.queues.purge("feeds");
      await consumer.settleAndTake({ settle: settle(members), take: 0 });
      await eventually("it is mended", async () => (await consumer.repairFlows(0)) > 0);
      expect(valueIn(await play(stage(), consumer, flow))).toEqual([[0], null]);
      const [record] = await stage().broker.backend.read([additionId(members[0]!.id, 0)]);
      expect(record).toMatchObject({ state: "REVOKED", task: "list" });
    });

    test("can be one of thousands", async () => {
      const { flow, consumer, members } = await begin(1);
      const numbers = Array.from({ length: 2000 }, (_, number) => number);
      await Promise.all(numbers.map((number) => add(members[0]!, number, { task: "list", args: [number + 1] })));
      await consumer.settleAndTake({ settle: settle(members), take: 0 });
      const value = valueIn(await play(stage(), consumer, { id: flow.id }, 200));
      expect((value as readonly (readonly number[])[]).map(([one]) => one)).toEqual([0, ...numbers.map((number) => number + 1)]);
      expect(await keys()).toEqual([]);
    });
  });
}
