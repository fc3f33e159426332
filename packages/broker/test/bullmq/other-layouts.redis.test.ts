import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { additionId } from "../../src/protocol/id.js";
import { flowOf, settlementOf } from "../ports/flow-play.js";
import { contentOf } from "../ports/messages.js";
import { stageOn, type Stage } from "../ports/stage.js";
import { takeOne } from "../ports/waiting.js";
import { openBroker, type RedisBroker } from "./broker.js";

describe.each([
  ["older", "1"],
  ["older, without a number", undefined],
  ["newer", "3"],
])("a flow in a layout that is %s", (_, layout) => {
  let broker: RedisBroker;
  let stage: Stage;

  beforeEach(() => {
    broker = openBroker(inject("redisUrl"));
    stage = stageOn(broker);
  });

  afterEach(() => broker.close());

  const keyOf = (id: string) => `bullrush:flow:${broker.prefix}:${id}`;

  /** A flow of two steps whose first runs, and which another release keeps. */
  async function otherFlow() {
    const flow = flowOf([{ task: "list", args: ["first"], next: [["step", 1]] }, { task: "list" }]);
    await stage.engine.flows.begin(flow);
    const consumer = stage.consume(["feeds"], { order: "strict" });
    const delivery = await takeOne(consumer);
    const key = keyOf(flow.id);
    if (layout !== undefined) await broker.redis.hset(key, "layout", layout);
    else await broker.redis.hdel(key, "layout", "remaining");
    if (layout === undefined) await broker.redis.hset(key, "left", "2");
    return { flow, consumer, delivery, key, before: await broker.redis.hgetall(key) };
  }

  test("its messages are of that layout", async () => {
    const { delivery } = await otherFlow();
    const message = contentOf(delivery);
    expect(await stage.engine.flows.standings([{ queue: "feeds", message }])).toEqual(["other-layout"]);
  });

  test("it stays as it is, and says why: to who settles, adds, revokes or repairs", async () => {
    const { flow, consumer, delivery, key, before } = await otherFlow();
    const why = new RegExp(
      `flow ${flow.id} is kept in layout ${layout ?? "1"} by another version of Bullrush, and this one reads layout 2`,
    );
    const { settled, refusals } = await consumer.settleAndTake({ settle: [settlementOf(delivery)], take: 0 });
    expect([settled, refusals]).toEqual([["again"], [{ code: "other-layout", reason: expect.stringMatching(why) }]]);
    const message = { id: additionId(delivery.id, 0), task: "list", args: [], headers: {}, priority: 0, retries: 0, rootId: delivery.id };
    await expect(stage.engine.flows.addMember({ flow: flow.id, by: 0, join: 0, queue: "feeds", message })).rejects.toThrow(why);
    await expect(stage.engine.flows.revoke(flow.id, "all")).rejects.toThrow(why);
    await broker.redis.zadd(`bullrush:flows:${broker.prefix}`, 1, flow.id);
    await expect(consumer.repairFlows(60_000)).rejects.toThrow(why);
    expect(await broker.redis.hgetall(key)).toEqual(before);
  });
});
