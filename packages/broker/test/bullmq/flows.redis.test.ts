import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { openProxy } from "../../../../integration/lib/proxy.js";
import { redisResultBackend } from "../../src/redis/result-backend.js";
import { flowOf, play, recordsOf, settlementOf } from "../ports/flow-play.js";
import { describeFlows } from "../ports/flows.js";
import type { Kept } from "../ports/kept.js";
import { contentOf } from "../ports/messages.js";
import { stageOn, type Stage } from "../ports/stage.js";
import { takeOne } from "../ports/waiting.js";
import { redisBinary, startRedis, type PrivateRedis } from "../redis/private-redis.js";
import { openBroker, type RedisBroker } from "./broker.js";

/** What is kept of flows under the prefix of the broker of a test. */
function keptBy(broker: () => RedisBroker): Kept {
  return {
    keys: () => broker().redis.keys(`bullrush:flow*${broker().prefix}*`),
    hash: (end) => broker().redis.hgetall(`bullrush:flow:${broker().prefix}:${end}`),
  };
}

describe("with the results on the broker,", () => {
  let broker: RedisBroker;
  let stage: Stage;

  beforeEach(() => {
    broker = openBroker();
    stage = stageOn(broker);
  });

  afterEach(() => broker.close());

  describeFlows(
    () => stage,
    keptBy(() => broker),
  );
});

describe("a flow whose replies are lost", () => {
  test.each([
    ["begins once, also if it has ended by the time it is begun again", "when it is begun"],
    ["goes on once", "when its first call is settled"],
  ])("%s", async (_, when) => {
    const broker = openBroker();
    onTestFinished(() => broker.close());
    const stage = stageOn(broker);
    const proxy = await openProxy(broker.url);
    onTestFinished(() => proxy.close());
    const through = broker.connect({ location: proxy.url });
    const consumer = (when === "when it is begun" ? broker.connect() : through).consume({
      queues: [{ name: "feeds" }],
      order: "strict",
      lease: 1500,
      worker: "worker-b",
    });
    const flow = flowOf([{ task: "list", args: ["first"], next: [["step", 1]] }, { task: "list" }]);
    const ran: unknown[] = [];
    if (when === "when it is begun") {
      const lost = proxy.loseReply(flow.id);
      const begun = through.flows.begin(flow);
      await lost;
      ran.push(...(await play(stage, consumer, flow)));
      proxy.reset();
      await begun;
      // What is sent once more says so: whoever takes it looks for its result.
      expect(await play(stage, consumer, flow)).toMatchObject([{ resent: true }, { resent: true }]);
      expect(await recordsOf(stage, flow)).toMatchObject([{ state: "SUCCESS" }, { state: "SUCCESS" }]);
    } else {
      await stage.engine.flows.begin(flow);
      const delivery = await takeOne(consumer);
      const lost = proxy.loseReply(delivery.token);
      const settled = consumer.settleAndTake({ settle: [settlementOf(delivery)], take: 0 });
      await lost;
      expect(await settled).toMatchObject({ settled: ["settled"] });
      ran.push(contentOf(delivery), ...(await play(stage, consumer, flow)));
    }
    expect(ran).toMatchObject([{ args: ["first"] }, { args: [["first"]] }]);
  });
});

describe.skipIf(redisBinary === undefined)("with the results elsewhere,", () => {
  let elsewhere: PrivateRedis;
  let broker: RedisBroker;
  let stage: Stage;

  beforeEach(async () => {
    elsewhere = await startRedis();
    broker = openBroker(undefined, redisResultBackend({ location: elsewhere.url }));
    stage = stageOn(broker);
  });

  afterEach(async () => {
    await broker.close();
    await elsewhere.stop();
  });

  describeFlows(
    () => stage,
    keptBy(() => broker),
  );
});
