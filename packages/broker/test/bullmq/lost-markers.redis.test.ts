import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import type { Consumer } from "../../src/ports/consumer.js";
import { messageOf } from "../ports/messages.js";
import { stageOn, type Stage } from "../ports/stage.js";
import { hear, take } from "../ports/waiting.js";
import { openBroker, type RedisBroker } from "./broker.js";

describe("a marker that one worker heard, and that nobody answers", () => {
  let broker: RedisBroker;
  let stage: Stage;

  beforeEach(() => {
    broker = openBroker();
    stage = stageOn(broker);
  });

  afterEach(() => broker.close());

  const send = (queue = "feeds", ahead = 0, priority = 0) =>
    stage.send({ queue, message: messageOf({ eta: Date.now() + ahead, priority }) });

  const key = (name: string, queue = "feeds") => `${broker.prefix}:${queue}:${name}`;

  const marker = (queue?: string) => broker.redis.zrange(key("marker", queue), "0", "-1", "WITHSCORES");

  async function idle(worker: string, queues: readonly string[] = ["feeds"]): Promise<Consumer> {
    const consumer = stage.consume(queues, { worker });
    expect(await take(consumer, 1)).toEqual([]);
    return consumer;
  }

  /** Until the read of `worker` blocks in Redis. */
  const blocked = (worker: string) =>
    eventually("blocked read", async () => {
      const clients = String(await broker.redis.client("LIST")).split("\n");
      return clients.some((line) => line.includes(`name=bullrush:${worker}:bell`) && / flags=\w*b/.test(line));
    });

  describe("because its queue began to rest after the read was armed", () => {
    test("is heard by another worker at once", async () => {
      const [resting, other] = [await idle("resting", ["feeds", "mail"]), await idle("other")];
      const ringing = resting.wait();
      await blocked("resting");
      resting.backOff("feeds", 60_000);
      await send();
      await ringing;
      expect(await hear(other, 1)).toMatchObject([{ queue: "feeds" }]);
      expect(resting.hasWork()).toBe(false);
    });

    test("is heard by another worker, though it was heard before the queue began to rest", async () => {
      const [resting, other] = [await idle("resting"), await idle("other")];
      await send("feeds", 600);
      await resting.wait();
      resting.backOff("feeds", 60_000);
      expect(await hear(other, 1)).toMatchObject([{ queue: "feeds" }]);
    });
  });

  describe("because that worker died: any scan sets it again", () => {
    test.each([
      { of: "a waiting message", ahead: 0, priority: 0, expected: ["0", "0"] },
      { of: "a prioritized message", ahead: 0, priority: 5, expected: ["0", "0"] },
    ])("$of", async ({ ahead, priority, expected }) => {
      const [dead, alive] = [await idle("dead"), await idle("alive")];
      await send("feeds", ahead, priority);
      await eventually("ring", async () => {
        await dead.wait();
        return dead.hasWork();
      });
      expect(await marker()).toEqual([]);
      await alive.recover();
      expect(await marker()).toEqual(expected);
      expect(await hear(alive, 1)).toHaveLength(1);
    });

    test("a delayed message, for when it is due", async () => {
      const [dead, alive] = [await idle("dead"), await idle("alive")];
      const due = Date.now() + 1500;
      await stage.send({ queue: "feeds", message: messageOf({ eta: due }) });
      await send("feeds", 60_000);
      await dead.wait();
      expect(await marker()).toEqual([]);
      await alive.recover();
      const [member, score] = await marker();
      expect([member, Math.abs(Number(score) - due) <= 2]).toEqual(["1", true]);
      expect(await hear(alive, 1)).toHaveLength(1);
    });
  });

  describe("a scan sets no marker", () => {
    test("of a queue that has nothing", async () => {
      await (await idle("alive")).recover();
      expect(await marker()).toEqual([]);
    });

    test("of a queue that is paused, or has a limit of jobs at once", async () => {
      await send("paused");
      await send("limited", 60_000);
      await broker.redis.hset(key("meta", "paused"), "paused", 1);
      await broker.redis.hset(key("meta", "limited"), "concurrency", 1);
      for (const queue of ["paused", "limited"]) await broker.redis.del(key("marker", queue));
      await stage.consume(["paused", "limited"]).recover();
      expect([await marker("paused"), await marker("limited")]).toEqual([[], []]);
    });

    test("beside one that is there", async () => {
      await send("feeds", 60_000);
      const before = await marker();
      await send();
      await broker.redis.zrem(key("marker"), "0");
      await stage.consume(["feeds"]).recover();
      expect(await marker()).toEqual(before);
    });
  });
});
