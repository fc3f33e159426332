import { afterEach, beforeEach, expect, test } from "vitest";
import { messageOf } from "../ports/messages.js";
import { stageOn, type Stage } from "../ports/stage.js";
import { hear, take } from "../ports/waiting.js";
import { openBroker, type RedisBroker } from "./broker.js";

let broker: RedisBroker;
let stage: Stage;

beforeEach(() => {
  broker = openBroker();
  stage = stageOn(broker);
});

afterEach(() => broker.close());

test.each(["inf", "-inf", "1e300", "-1"])(
  "a marker of the time %s: the consumer that heard it still hears of the next message",
  async (score) => {
    const consumer = stage.consume(["feeds"]);
    expect(await take(consumer, 1)).toEqual([]);
    await broker.redis.zadd(`${broker.prefix}:feeds:marker`, score, "1");
    await consumer.wait();
    await stage.send({ queue: "feeds", message: messageOf() });
    expect(await hear(consumer, 1)).toMatchObject([{ queue: "feeds" }]);
  },
);
