import { afterEach, beforeEach, describe } from "vitest";
import { redisResultBackend } from "../../src/redis/result-backend.js";
import { describeFlows } from "../ports/flows.js";
import { stageOn, type Stage } from "../ports/stage.js";
import { redisBinary, startRedis, type PrivateRedis } from "../redis/private-redis.js";
import { openBroker, type RedisBroker } from "./broker.js";

/** What is kept of flows under the prefix of `broker`. */
function keysOf(broker: RedisBroker): Promise<readonly string[]> {
  return broker.redis.keys(`bullrush:flow*${broker.prefix}*`);
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
    () => keysOf(broker),
  );
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
    () => keysOf(broker),
  );
});
