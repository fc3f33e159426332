import { inspect } from "node:util";
import { FlowProducer, Queue } from "bullmq";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { newId } from "../../src/protocol/id.js";
import { encodeMessage } from "../../src/protocol/envelope.js";
import { messageOf, numbered, outcomes, settlementOf } from "../ports/messages.js";
import { stageOn, type Stage } from "../ports/stage.js";
import { take, takeOne } from "../ports/waiting.js";
import { openBroker, type RedisBroker } from "./broker.js";
import { deadLettersOf } from "../dead-letters.js";

const secret = "canary-5ecret";

describe("what cannot be read", () => {
  let broker: RedisBroker;
  let stage: Stage;

  beforeEach(() => {
    broker = openBroker();
    stage = stageOn(broker);
  });

  afterEach(() => broker.close());

  /** Puts a job with these fields into the queue as nobody should, and two messages around it. */
  async function corrupt(id: string, fields: Readonly<Record<string, string>>): Promise<void> {
    await stage.send(...numbered("feeds", 1));
    if (Object.keys(fields).length > 0) await broker.redis.hset(`${broker.prefix}:feeds:${id}`, fields);
    await broker.redis.lpush(`${broker.prefix}:feeds:wait`, id);
    await stage.send(...numbered("feeds", 1));
  }

  const deadLetters = () => deadLettersOf(broker.redis, broker.prefix, "feeds");

  const id = newId();
  const envelope = (fields: object) =>
    JSON.stringify({ ...(JSON.parse(encodeMessage(messageOf({ id, args: [secret] }))) as object), ...fields });

  test.each<[string, Record<string, string>, string]>([
    ["a job without its hash", {}, "its hash is gone"],
    ["a job without data", { name: "tasks.add" }, "its hash is gone"],
    ["data that are no JSON", { name: "tasks.add", data: `{"a":"${secret}` }, "it is not JSON, or has a forbidden key"],
    ["data with a forbidden key", { name: "tasks.add", data: `{"__proto__":{"a":"${secret}"}}` }, "it is not JSON, or has a forbidden key"],
    [
      "an envelope of a newer version",
      { name: "tasks.add", data: envelope({ bullrush: 3 }) },
      "its version is 3, and this release reads version 2",
    ],
    [
      "an envelope of an older version",
      { name: "tasks.add", data: envelope({ bullrush: 1 }) },
      "its version is 1, and this release reads version 2",
    ],
    [
      "an envelope of no version",
      { name: "tasks.add", data: envelope({ bullrush: secret }) },
      "its version is a string, and this release reads version 2",
    ],
    ["an envelope without arguments", { name: "tasks.add", data: envelope({ args: undefined }) }, '"args" is missing; expected an array'],
  ])("%s is delivered as such, between sound ones, and can be buried", async (_, fields, reason) => {
    await corrupt(id, fields);
    const consumer = stage.consume(["feeds"], { worker: "worker-7" });
    const [before, delivery, after] = await take(consumer, 5);
    expect([before?.content.type, after?.content.type]).toEqual(["message", "message"]);
    expect(delivery).toMatchObject({ queue: "feeds", id, number: 1, content: { type: "undecodable", error: { code: "DECODE_ERROR" } } });
    if (delivery?.content.type !== "undecodable") throw new Error("it was decoded");
    const { error } = delivery.content;
    expect(error.message).toBe(`the message cannot be decoded: ${reason}`);
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secret);

    const failure = { name: "BullrushError", message: error.message, code: error.code };
    const { settled } = await consumer.settleAndTake({
      settle: [settlementOf(delivery, { type: "failed", failure, deadLetter: true })],
      take: 0,
    });
    expect(settled).toEqual(["settled"]);
    expect(await stage.counts("feeds")).toEqual({ waiting: 0, delayed: 0, active: 2, completed: 0, failed: 1 });
    expect(await deadLetters()).toEqual([
      {
        id,
        at: expect.stringMatching(/^\d{13}$/),
        reason: `BullrushError: ${error.message}`,
        worker: "worker-7",
        name: fields["name"] ?? "",
        data: fields["data"] ?? "",
      },
    ]);
  });

  test("of a plain producer is its own affair: any JSON that is no envelope", async () => {
    await broker.redis.hset(`${broker.prefix}:feeds:7`, { name: "mail.send", data: '["bullrush"]', priority: "30" });
    await broker.redis.lpush(`${broker.prefix}:feeds:wait`, "7");
    expect(await takeOne(stage.consume(["feeds"]))).toMatchObject({
      id: "7",
      content: { type: "external", message: { id: "7", task: "mail.send", args: [["bullrush"]], priority: 9 } },
    });
  });

  test("of a plain producer lets go of what it held, and its parent hears of it", async () => {
    const options = { connection: broker.redis, prefix: broker.prefix };
    const [queue, flow] = [new Queue("feeds", options), new FlowProducer(options)];
    const data = JSON.parse(`{"__proto__":"${secret}"}`) as unknown;
    await queue.add("mail.send", data, { attempts: 3, removeOnFail: true, deduplication: { id: "one" } });
    const child = { name: "mail.send", queueName: "feeds", data, opts: { failParentOnFailure: true } };
    const { job } = await flow.add({ name: "parent", queueName: "feeds", children: [child] });
    const consumer = stage.consume(["feeds"]);
    const deliveries = await take(consumer, 5);
    const settle = deliveries.map((delivery) => settlementOf(delivery, outcomes.dead));
    expect(await consumer.settleAndTake({ settle, take: 5 })).toEqual({ settled: ["settled", "settled"], deliveries: [] });
    expect(await job.getState()).toBe("failed");
    expect(await queue.getDeduplicationJobId("one")).toBeNull();
    expect(await stage.counts("feeds")).toEqual({ waiting: 0, delayed: 0, active: 0, completed: 0, failed: 2 });
    expect((await deadLetters()).map((entry) => entry["data"])).toEqual([JSON.stringify(data), JSON.stringify(data)]);
    await Promise.all([queue.close(), flow.close()]);
  });

  describe("the dead letters", () => {
    test("keep a message that could not be run, and only by whoever has it on loan", async () => {
      const message = messageOf();
      await stage.send({ queue: "feeds", message });
      const consumer = stage.consume(["feeds"]);
      const delivery = await takeOne(consumer);
      const settle = [settlementOf({ ...delivery, token: "forged" }, outcomes.dead), settlementOf(delivery, outcomes.dead)];
      expect(
        await consumer.settleAndTake({ settle: [...settle, ...settle.map((settlement) => ({ ...settlement }))], take: 0 }),
      ).toMatchObject({
        settled: ["lost", "settled", "lost", "lost"],
      });
      expect(await deadLetters()).toMatchObject([
        { id: message.id, name: "tasks.add", data: encodeMessage(message), reason: "UnknownTask: nobody knows it" },
      ]);
    });

    test("get nothing of other ends", async () => {
      await stage.send(...numbered("feeds", 4));
      const consumer = stage.consume(["feeds"]);
      const deliveries = await take(consumer, 4);
      const ends = [outcomes.succeeded, outcomes.failed, outcomes.revoked, outcomes.requeued];
      await consumer.settleAndTake({ settle: deliveries.map((delivery, index) => settlementOf(delivery, ends[index])), take: 0 });
      expect(await deadLetters()).toEqual([]);
    });
  });
});
