import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { additionId } from "../../src/protocol/id.js";
import type { Target } from "../../src/protocol/flow-position.js";
import { withTimeout } from "../../src/time/with-timeout.js";
import { flowOf, play, settlementOf } from "../ports/flow-play.js";
import { contentOf } from "../ports/messages.js";
import { stageOn, type Stage } from "../ports/stage.js";
import { takeOne } from "../ports/waiting.js";
import { redisBinary, startRedis, type PrivateRedis } from "../redis/private-redis.js";
import { openBroker, type RedisBroker } from "./broker.js";

const most = Number.MAX_SAFE_INTEGER;

/** A flow of two steps: whatever is planted, both end. */
const steps = () => flowOf([{ task: "list", args: ["first"], next: [["step", 1]] }, { task: "list" }]);

// On a Redis of its own: what these tests plant held Redis for ever.
describe.skipIf(redisBinary === undefined)("what is planted in flows holds up neither Redis nor other flows:", () => {
  let server: PrivateRedis;
  let broker: RedisBroker;
  let stage: Stage;

  beforeEach(async () => {
    server = await startRedis(["--maxmemory", "256mb"]);
    broker = openBroker(server.url);
    stage = stageOn(broker);
  });

  afterEach(async () => {
    // It may answer nobody any more.
    await withTimeout(broker.close(), 3000, () => undefined);
    await server.stop();
  });

  const keyOf = (id: string) => `bullrush:flow:${broker.prefix}:${id}`;
  const consume = () => stage.consume(["feeds"], { order: "strict" });

  /** Settles the first step of a flow whose message says that it stands before `next`, and plays the rest. */
  async function settleWith(next: readonly Target[], call = 0): Promise<void> {
    const flow = steps();
    await stage.engine.flows.begin(flow);
    const consumer = consume();
    const delivery = await takeOne(consumer);
    const { content } = delivery;
    if (content.type !== "message") throw new Error("no message");
    const positions = [{ flow: flow.id, call, next }];
    const planted = { ...delivery, content: { ...content, message: { ...content.message, positions } } };
    expect((await consumer.settleAndTake({ settle: [settlementOf(planted)], take: 0 })).settled).toEqual(["settled"]);
    expect(await server.client.strlen(`${keyOf(flow.id)}:done`)).toBeLessThan(1000);
    // Others go on.
    const other = steps();
    await stage.engine.flows.begin(other);
    const [first, second] = (await play(stage, consumer, other)).slice(-2);
    expect([first?.args, second?.args]).toEqual([["first"], [["first"]]]);
  }

  test.each<[string, readonly Target[]]>([
    ["a range of calls that no flow has", [["steps", 0, most]]],
    ["the same range ten thousand times", Array.from({ length: 10_000 }, () => ["steps", 0, most])],
    ["a range behind the last call", [["steps", most - 1, most]]],
    ["a call that is not there", [["step", most]]],
    ["a link that is not there", [["link", 2 ** 32]]],
    ["an error link that is not there", [["error", 2 ** 32, 0, most]]],
    ["a slot of a join that is not there", [["slot", most, most]]],
    ["an empty group that is not there", [["open", most]]],
  ])("a position before %s", async (_, next) => {
    await settleWith(next);
  });

  test.each([2, 2 ** 31, 2 ** 32 - 1, most])("the position of call %d of two", async (call) => {
    await settleWith([["step", 1]], call);
  });

  test("a position before a slot that its join does not have", async () => {
    const flow = flowOf(
      [{ task: "list", next: [["slot", 0, 0]] }, { task: "list", next: [["slot", 0, 1]] }, { task: "list" }],
      [{ next: [["step", 2]] }],
      [["steps", 0, 1]],
    );
    await stage.engine.flows.begin(flow);
    const consumer = consume();
    const delivery = await takeOne(consumer);
    const { content } = delivery;
    if (content.type !== "message") throw new Error("no message");
    const positions = [{ flow: flow.id, call: 0, next: [["slot", 0, most]] as const }];
    await consumer.settleAndTake({
      settle: [settlementOf({ ...delivery, content: { ...content, message: { ...content.message, positions } } })],
      take: 0,
    });
    expect(await server.client.hlen(`${keyOf(flow.id)}:0`)).toBe(0);
  });

  /** Begins a flow of two steps, and spoils what Redis keeps of it. */
  async function spoilt(spoil: (key: string) => Promise<unknown>): Promise<string> {
    const flow = steps();
    await stage.engine.flows.begin(flow);
    await spoil(keyOf(flow.id));
    return flow.id;
  }

  /** Ages all flows, so that they are looked after. */
  async function age(): Promise<void> {
    const index = `bullrush:flows:${broker.prefix}`;
    for (const id of await server.client.zrange(index, "0", "-1")) await server.client.zadd(index, "XX", "1", id);
  }

  type Spoil = (key: string) => Promise<unknown>;
  const redis = () => server.client;

  test.each<[string, Spoil]>([
    ["a number of calls that it does not have", (key) => redis().hset(key, "calls", String(most))],
    ["a number of calls that is none", (key) => redis().hset(key, "calls", "many", "remaining", "some", "maxBytes", "none")],
    ["a call whose head is no JSON", (key) => redis().hset(key, "c1", "{\n{}")],
    ["a call without a message", (key) => redis().hset(key, "c1", '{"queue":"feeds"}')],
    ["a call whose head is something else", (key) => redis().hset(key, "c1", '[1,{"queue":{}}]\n{}')],
    [
      "a call with positions that are none",
      (key) => redis().hset(key, "c1", '{"queue":"feeds","id":"x","task":"t","priority":0,"positions":[1]}\n{}'),
    ],
    ["a backlog of what is none", (key) => redis().rpush(`${key}:backlog`, "x", "", "- 9", `${most} `, "1 7", "1")],
    [
      "a list of what is to fail that never ends",
      (key) => redis().rpush(`${key}:cascade`, `calls 0 ${most} 1  `, `drop ${most}`, `join ${most}`),
    ],
    [
      "a list of what is to fail that is none",
      (key) => redis().rpush(`${key}:cascade`, "", "calls", "call x y", "join -1", "calls 1 0 1  ", "huh 1 2 3"),
    ],
    [
      "a join of a size that nothing has",
      (key) => redis().hset(key, "j0", JSON.stringify({ id: "x", size: most, partial: false, next: [["slot", 0, 0]] })),
    ],
    [
      "a join that is none, and is to fail",
      async (key) => {
        await redis().hset(key, "j0", JSON.stringify({ id: "x", size: most }), "j1", "{", "j2", "7");
        await redis().rpush(`${key}:cascade`, "join 0", "join 1", "join 2");
      },
    ],
    [
      "bitmaps longer than it has calls",
      async (key) => {
        await redis().setbit(`${key}:sent`, 2 ** 28, 1);
        await redis().setbit(`${key}:sent`, 2 ** 28 - 12_345, 1);
      },
    ],
    [
      "texts that are no JSON",
      (key) => redis().hset(key, "queues", "{", "customIds", "[", "callGroups", "7", "links", "x", "expires", "soon"),
    ],
    [
      "another kind of key",
      async (key) => {
        await redis().del(key);
        await redis().rpush(key, "x");
      },
    ],
    ["a list of what is to fail of another kind", (key) => redis().set(`${key}:cascade`, "x")],
  ])("a flow with %s", async (_, spoil) => {
    const id = await spoilt(spoil);
    await age();
    const consumer = consume();
    // As workers do who look after flows, twice, in case one look only puts it aside.
    for (let look = 0; look < 2; look++) {
      await consumer.repairFlows(60_000).catch((error: unknown) => expect.unreachable(String(error)));
      await age();
    }
    await stage.engine.flows
      .revoke(id, "all")
      .catch((error: Error) => expect(error).toMatchObject({ code: expect.stringMatching(/DECODE_ERROR|BROKER_UNAVAILABLE/) as string }));
    // Its messages run, and can be settled.
    for (let round = 0; round < 5; round++) {
      const { deliveries } = await consumer.settleAndTake({ settle: [], take: 10 });
      if (deliveries.length === 0) break;
      await consumer.settleAndTake({
        settle: deliveries
          .filter(({ content }) => content.type === "message")
          .map((delivery) => settlementOf(delivery, { type: "succeeded", result: "1" })),
        take: 0,
      });
    }
    const other = steps();
    await stage.engine.flows.begin(other);
    await age();
    await consumer.repairFlows(60_000);
    const played = await play(stage, consumer, other);
    expect(played.slice(-2).map(({ args }) => args)).toEqual([["first"], [["first"]]]);
  });

  /** A member that runs, what it adds, and the flow. */
  async function member() {
    const flow = flowOf([{ task: "list", args: [0], next: [["slot", 0, 0]] }, { task: "list" }], [{ size: 1, next: [["step", 1]] }]);
    await stage.engine.flows.begin(flow);
    const consumer = consume();
    const delivery = await takeOne(consumer);
    const { rootId } = contentOf(delivery);
    const message = { id: additionId(delivery.id, 0), task: "list", args: ["added"], headers: {}, priority: 0, retries: 0, rootId };
    const add = () => stage.engine.flows.addMember({ flow: flow.id, by: 0, join: 0, queue: "feeds", message });
    return { flow, consumer, delivery, message, add };
  }

  test.each<[string, Spoil]>([
    ["a join that is none", (key) => redis().hset(key, "j0", "{")],
    ["a join without a size", (key) => redis().hset(key, "j0", '{"id":"x","next":[]}')],
    ["queues that are none", (key) => redis().hset(key, "queues", "{}")],
    ["a number of calls that is none", (key) => redis().hset(key, "calls", "many")],
  ])("nothing is added to a flow with %s", async (_, spoil) => {
    const { flow, consumer, add } = await member();
    await spoil(keyOf(flow.id));
    const before = await redis().hgetall(keyOf(flow.id));
    expect(await add()).toBe("ended");
    expect(await redis().hgetall(keyOf(flow.id))).toEqual(before);
    expect((await consumer.settleAndTake({ settle: [], take: 1 })).deliveries).toEqual([]);
  });

  test.each(["x", "[]", "{}", '{"id":"x","task":"list","queue":"feeds","positions":7}'])(
    "what a flow says of an added call is %s",
    async (text) => {
      const { flow, consumer, delivery, add } = await member();
      await add();
      await redis().hset(keyOf(flow.id), "a2", text);
      const message = contentOf(await takeOne(consumer));
      expect(await stage.engine.flows.standings([{ queue: "feeds", message }])).toEqual(["forged"]);
      expect((await stage.engine.flows.revoke(flow.id, "all"))?.ids).toContain(delivery.id);
    },
  );

  test("what is added to a queue whose list is of another kind is sent when it can be", async () => {
    const { flow, consumer, delivery, add } = await member();
    const wait = `${broker.prefix}:feeds:wait`;
    await redis().set(wait, "x");
    expect([await add(), await add()]).toEqual(["added", "known"]);
    await redis().del(wait);
    await age();
    await consumer.repairFlows(60_000);
    await consumer.settleAndTake({ settle: [settlementOf(delivery)], take: 0 });
    expect((await play(stage, consumer, flow)).map(({ args }) => args)).toEqual([["added"], [[[0], ["added"]]]]);
  });

  test("an index of flows that are none", async () => {
    const index = `bullrush:flows:${broker.prefix}`;
    const planted = Array.from({ length: 300 }, (_, number) => ["1", `no-flow-${number}`]).flat();
    await server.client.zadd(index, ...planted);
    await server.client.set(keyOf("no-flow-0"), "x");
    await server.client.hset(keyOf("no-flow-1"), "remaining", "1", "layout", "2", "queues", "{}", "customIds", "[]");
    const flow = steps();
    await stage.engine.flows.begin(flow);
    await consume().repairFlows(60_000);
    expect((await server.client.zrange(index, "0", "-1")).filter((id) => id.startsWith("no-flow-")).length).toBeLessThan(2);
  });
});
