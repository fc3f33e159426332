import { afterEach, beforeEach, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { messageOf } from "../ports/messages.js";
import { stageOn, type Stage } from "../ports/stage.js";
import { take } from "../ports/waiting.js";
import { openBroker, type RedisBroker } from "./broker.js";

let broker: RedisBroker;
let stage: Stage;

beforeEach(() => {
  broker = openBroker();
  stage = stageOn(broker);
});

afterEach(() => broker.close());

const id = "stray";

/** What plants an id in each place from which BullMQ's way takes. */
const plants = {
  delayed: (queue: string) => broker.redis.zadd(`${queue}delayed`, "1", id),
  prioritized: (queue: string) => broker.redis.zadd(`${queue}prioritized`, "0", id),
  wait: (queue: string) => broker.redis.rpush(`${queue}wait`, id),
};

test.each<[place: keyof typeof plants, key: string, plantKey: (key: string) => Promise<unknown>]>([
  ["delayed", "a string", (key) => broker.redis.set(key, "no job")],
  ["prioritized", "a string", (key) => broker.redis.set(key, "no job")],
  ["wait", "a list", (key) => broker.redis.rpush(key, "no job")],
  ["prioritized", "a job that was taken no number of times", (key) => broker.redis.hset(key, { name: "a", data: "{}", ats: "often" })],
  ["wait", "a job that was taken too often", (key) => broker.redis.hset(key, { name: "a", data: "{}", ats: "9223372036854775807" })],
  ["delayed", "a job whose priority is no number", (key) => broker.redis.hset(key, { name: "a", data: "{}", priority: "nan" })],
])("an id in %s whose key is %s holds up none of the messages beside it", async (place, _, plantKey) => {
  const queue = `${broker.prefix}:feeds:`;
  const soon = Date.now() + 50;
  const messages = [1, 2, 3, 4].map((number) => messageOf({ args: [number], ...(number % 2 === 0 ? { eta: soon } : { priority: 3 }) }));
  await stage.send(...messages.map((message) => ({ queue: "feeds", message })));
  await plantKey(`${queue}${id}`);
  await plants[place](queue);
  const consumer = stage.consume(["feeds"]);
  const taken = new Set<string>();
  await eventually("all are taken", async () => {
    consumer.assumeWork();
    for (const delivery of await take(consumer, 10)) taken.add(delivery.id);
    return messages.every((message) => taken.has(message.id));
  });
});

test("a message that was due before 1970 is taken", async () => {
  const message = messageOf({ eta: Date.now() + 60_000 });
  await stage.send({ queue: "feeds", message });
  await broker.redis.zadd(`${broker.prefix}:feeds:delayed`, "-1", message.id);
  expect(await take(stage.consume(["feeds"]), 1)).toMatchObject([{ id: message.id }]);
});
