import { additionId, newId } from "../protocol/id.js";
import type { Delivery } from "../ports/delivery.js";
import type { Flow, FlowAddition } from "../protocol/flow.js";
import type { Message } from "../protocol/message.js";
import { equal, matches } from "./assertions.js";
import { argsOf, callIn, chordOf, endOf, isOver, play, recordsOf } from "./flow-play.js";
import { contentOf, take, takeOne, type Stage } from "./stage.js";
import type { Suite } from "./suite.js";

/** What a member adds by its call `ordinal`. */
function additionOf(member: Delivery, ordinal: number, given: Partial<Message> = {}): FlowAddition {
  const { id, rootId, positions = [] } = contentOf(member);
  const [position] = positions;
  const [target] = position?.next ?? [];
  if (position === undefined || target?.[0] !== "slot") throw new Error("it is no member");
  const own = { id: additionId(id, ordinal), task: "list", args: [`added ${ordinal}`], headers: {}, priority: 0, retries: 0, rootId };
  return { flow: position.flow, by: position.call, join: target[1], queue: "feeds", message: { ...own, ...given } };
}

/** A running group of members that return their slots, and its members. */
async function begin(stage: Stage, size: number, onFailure?: "fail" | "partial") {
  const flow: Flow = {
    ...chordOf(
      Array.from({ length: size }, () => "list"),
      onFailure,
    ),
    maxPayload: 100_000,
  };
  await stage.engine.flows.begin(flow);
  const consumer = stage.consume();
  const members = (await take(consumer, size)) as readonly [Delivery, ...Delivery[]];
  const add = (member: Delivery, ordinal: number, given?: Partial<Message>) =>
    stage.other.flows.addMember(additionOf(member, ordinal, given));
  const settle = () => consumer.settleAndTake({ settle: members.map((member) => endOf(member)), take: 0 });
  return { flow, consumer, members, add, settle };
}

/** The value that the call behind the group got. */
const bodyOf = (flow: Flow, played: readonly Message[]) =>
  played.find(({ id }) => id === callIn(flow, flow.calls.length - 2).message.id)?.args[0];

export function describeAdditions({ describe, test }: Suite): void {
  describe("a member that is added to a group", () => {
    test("while others run: it is waited for, and its value comes behind theirs, in the order of adding", async (stage) => {
      const { flow, consumer, members, add, settle } = await begin(stage, 2);
      const [first, second = first] = members;
      equal(
        [await add(second, 0, { args: ["b0"] }), await add(first, 0, { args: ["a0"] }), await add(second, 1, { args: ["b1"] })],
        ["added", "added", "added"],
      );
      await settle();
      equal(bodyOf(flow, await play(stage, consumer, flow, 1)), [[0], [1], ["b0"], ["a0"], ["b1"]]);
    });

    test("twice: it is added once, and the first stands", async (stage) => {
      const { flow, consumer, members, add, settle } = await begin(stage, 1);
      equal([await add(members[0], 0), await add(members[0], 0, { args: ["another"] })], ["added", "known"]);
      await settle();
      equal(bodyOf(flow, await play(stage, consumer, flow)), [[0], ["added 0"]]);
    });

    test("by one that was added itself: it is waited for as well", async (stage) => {
      const { flow, consumer, members, add, settle } = await begin(stage, 1);
      await add(members[0], 0);
      await settle();
      const further = await takeOne(consumer);
      equal(await add(further, 0, { args: ["further"] }), "added");
      await consumer.settleAndTake({ settle: [endOf(further)], take: 0 });
      equal(bodyOf(flow, await play(stage, consumer, flow)), [[0], ["added 0"], ["further"]]);
    });

    test("by one that has ended, or in a flow that has, or that is not there: it is not added", async (stage) => {
      const { flow, consumer, members, add } = await begin(stage, 2);
      const [first, second = first] = members;
      await consumer.settleAndTake({ settle: [endOf(first)], take: 0 });
      equal(await add(first, 0), "ended");
      await consumer.settleAndTake({ settle: [endOf(second)], take: 0 });
      equal(bodyOf(flow, await play(stage, consumer, flow)), [[0], [1]]);
      equal(await add(second, 0), "ended");
      equal(await stage.engine.flows.addMember({ ...additionOf(first, 0), flow: newId() }), "ended");
    });

    test("with a priority and an eta: it keeps them, and stands where its flow says", async (stage) => {
      const { flow, consumer, members, add } = await begin(stage, 1);
      const eta = Math.round(stage.now() + 300);
      await add(members[0], 0, { priority: 3, eta, replyTo: "bullrush:reply:there" });
      matches(await stage.counts(), { delayed: 1 });
      const [added] = await stage.hear(consumer, 1);
      const message = added ? contentOf(added) : callIn(flow, 0).message;
      matches(message, {
        priority: 3,
        eta,
        replyTo: "bullrush:reply:there",
        positions: [{ flow: flow.id, call: 3, next: [["slot", 0, 1]] }],
      });
      const asked = [
        { queue: "feeds", message },
        { queue: "feeds", message: { ...message, id: newId() } },
      ];
      equal(await stage.engine.flows.standings(asked), ["sound", "forged"]);
    });

    for (const onFailure of ["fail", "partial"] as const) {
      test(`that fails, in a group with "${onFailure}": it counts as all others do`, async (stage) => {
        const { flow, consumer, members, add, settle } = await begin(stage, 1, onFailure);
        await add(members[0], 0, { task: "fail", args: [7] });
        await settle();
        equal(bodyOf(flow, await play(stage, consumer, flow)), onFailure === "fail" ? undefined : [[0], null]);
        const body = (await recordsOf(stage, flow))[1];
        const message = `1 of 2 members of a group failed: fail[${additionId(members[0].id, 0)}] failed: RangeError: no 7`;
        matches(body, onFailure === "fail" ? { state: "FAILURE", failure: { message } } : { state: "SUCCESS" });
      });
    }

    test("to a flow that is called off, before or after: it is dropped without waiting for its time", async (stage) => {
      const { flow, consumer, members, add } = await begin(stage, 1);
      const [member] = members;
      await add(member, 0);
      const found = await stage.engine.flows.revoke(flow.id, "all");
      equal(found?.ids.toSorted(), [...flow.calls.map(({ message }) => message.id), additionId(member.id, 0)].toSorted());
      await stage.engine.queues.revoke(found?.ids ?? [], found?.queues ?? [], { reason: "by hand", terminate: false });
      equal(await add(member, 1, { eta: stage.now() + 3_600_000 }), "added");
      const dropped = await stage.hear(consumer, 2);
      equal(
        new Map(dropped.map(({ id, revoked }) => [id, revoked])),
        new Map([
          [additionId(member.id, 0), "by hand"],
          [additionId(member.id, 1), "its chord was revoked"],
        ]),
      );
      const settle = [member, ...dropped].map((delivery) => endOf(delivery, { type: "revoked", reason: "by hand" }));
      await consumer.settleAndTake({ settle, take: 0 });
      await stage.eventually("end of the flow", () => isOver(stage, flow.id));
    });

    test("whose message is gone: it counts as revoked", async (stage) => {
      const { flow, consumer, members, add, settle } = await begin(stage, 1, "partial");
      await add(members[0], 0);
      await stage.engine.queues.purge("feeds");
      await settle();
      await stage.eventually("repair", async () => (await consumer.repairFlows(0)) > 0);
      equal(bodyOf(flow, await play(stage, consumer, flow)), [[0], null]);
      matches(await stage.recordOf(additionId(members[0].id, 0)), { state: "REVOKED", task: "list" });
    });

    test("200 times: all of them are waited for", async (stage) => {
      const { flow, consumer, members, add, settle } = await begin(stage, 1);
      const numbers = Array.from({ length: 200 }, (_, number) => number);
      await Promise.all(numbers.map((number) => add(members[0], number, { args: [number + 1] })));
      await settle();
      const played = await play(stage, consumer, flow, 100);
      equal(argsOf(played).length, 202);
      equal(new Set((bodyOf(flow, played) as readonly (readonly number[])[]).map(([one]) => one)).size, 201);
    });
  });
}
