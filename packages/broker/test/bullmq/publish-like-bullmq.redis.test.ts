import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { describe, expect, onTestFinished, test } from "vitest";
import { newId } from "../../src/id.js";
import { encodeMessage } from "../../src/protocol/codec.js";
import type { Message, RoutedMessage } from "../../src/protocol/message.js";
import { messageOf, numbered } from "../ports/messages.js";
import { redisBinary, startRedis } from "../redis/private-redis.js";
import { openBroker, type RedisBroker } from "./broker.js";
import { contentsUnder } from "./contents.js";

interface Row {
  readonly what: string;
  /** What is in the queue `feeds` before, on either side. */
  readonly before?: (queue: Queue, redis: Redis, start: string) => Promise<unknown>;
  /** What is sent in one call, one by one by a stock producer. */
  readonly sent: readonly RoutedMessage[];
}

const feeds = (...messages: readonly Message[]): readonly RoutedMessage[] => messages.map((message) => ({ queue: "feeds", message }));
const later = Date.now() + 3_600_000;
const [one, other, third] = [messageOf(), messageOf({ args: ["é€😀\u0000"] }), messageOf()];

const rows: readonly Row[] = [
  { what: "one message", sent: feeds(one) },
  { what: "many messages", sent: numbered("feeds", 120) },
  { what: "messages for several queues", sent: ["a", "b", "a", "c"].map((queue) => ({ queue, message: messageOf({ args: [queue] }) })) },
  {
    what: "names and data that are no small ones",
    sent: feeds(messageOf({ task: "x".repeat(200) }), messageOf({ args: ["y".repeat(10_000)] })),
  },
  {
    what: "a text of many scripts, and all that a message may hold",
    sent: feeds(other, messageOf({ headers: { a: [1] }, retries: 2, rootId: newId(), expires: later })),
  },
  { what: "an id that is there already", before: (queue) => queue.add("other", { a: 1 }, { jobId: one.id }), sent: feeds(one, other) },
  { what: "an id twice in a call", sent: feeds(one, other, { ...one, args: ["again"] }, third) },
  { what: "nothing but ids that are there", before: (queue) => queue.add("other", {}, { jobId: one.id }), sent: feeds(one, one) },
  {
    what: "a queue with jobs of its own",
    before: (queue) =>
      queue.addBulk([
        { name: "a", data: 1 },
        { name: "b", data: 2, opts: { delay: 3_600_000 } },
      ]),
    sent: feeds(one, other),
  },
  { what: "a paused queue", before: (queue) => queue.pause(), sent: feeds(one, other) },
  {
    what: "a queue whose limit is reached",
    before: (queue, redis, start) => Promise.all([queue.setGlobalConcurrency(1), redis.lpush(`${start}active`, "x")]),
    sent: feeds(one, other),
  },
  {
    what: "a queue whose limit is not reached",
    before: (queue, redis, start) => Promise.all([queue.setGlobalConcurrency(2), redis.lpush(`${start}active`, "x")]),
    sent: feeds(one, other),
  },
  {
    what: "a stream of events that is kept empty",
    before: (_, redis, start) => redis.hset(`${start}meta`, "opts.maxLenEvents", 0),
    sent: numbered("feeds", 3),
  },
  { what: "priorities", sent: feeds(messageOf({ priority: 9 }), messageOf({ priority: 1 })) },
  { what: "a time to come", sent: feeds(messageOf({ eta: later })) },
  { what: "a time to come, and a priority", sent: feeds(messageOf({ eta: later, priority: 4 })) },
  { what: "a time that is past", sent: feeds(messageOf({ eta: 1 }), messageOf({ eta: 1, priority: 2 })) },
];

/** What a stock producer gives along for a message. */
function optionsOf({ id, priority, eta = 0 }: Message) {
  const delay = Math.max(0, eta - Date.now());
  return { jobId: id, ...(priority > 0 && { priority }), ...(delay > 0 && { delay }) };
}

/** Sends what `row` says with our engine and with stock producers, at the Redis at `url`, and compares all that is there then. */
async function expectAlike({ before, sent }: Row, url?: string): Promise<void> {
  const [ours, theirs] = [sideOf(openBroker(url)), sideOf(openBroker(url))];
  for (const side of [ours, theirs]) await before?.(side.queue("feeds"), side.broker.redis, `${side.broker.prefix}:feeds:`);
  const errors = await ours.broker.connect().queues.publish(sent);
  expect(errors).toEqual(sent.map(() => undefined));
  for (const { queue, message } of sent) {
    await theirs.queue(queue).add(message.task, JSON.parse(encodeMessage(message)) as unknown, optionsOf(message));
  }
  const written = await contentsUnder(ours.broker.redis, ours.broker.prefix);
  expect(written).toEqual(await contentsUnder(theirs.broker.redis, theirs.broker.prefix));
  expect(Object.keys(written)).not.toEqual([]);
}

/** A broker with BullMQ's view of its queues; both are closed when the test has ended. */
function sideOf(broker: RedisBroker) {
  const queues = new Map<string, Queue>();
  const connection = new Redis(broker.url, { maxRetriesPerRequest: null, replyMapping: "legacy" });
  onTestFinished(async () => {
    for (const queue of queues.values()) await queue.close();
    connection.disconnect();
    await broker.close();
  });
  const open = (name: string): Queue => {
    const queue = new Queue(name, { prefix: broker.prefix, connection, skipMetasUpdate: true });
    queues.set(name, queue);
    return queue;
  };
  return { broker, queue: (name: string) => queues.get(name) ?? open(name) };
}

describe("publishing leaves in Redis what a stock producer would:", () => {
  test.each(rows)("$what", (row) => expectAlike(row));

  test.skipIf(redisBinary === undefined)("a stream of events that is cut", async () => {
    // How much goes into a node of a stream, which is cut by whole nodes, depends on the time between its entries.
    const redis = await startRedis(["--stream-node-max-bytes", "0"]);
    onTestFinished(() => redis.stop());
    const before: Row["before"] = (_, redis, start) => redis.hset(`${start}meta`, "opts.maxLenEvents", 120);
    await expectAlike({ what: "", before, sent: numbered("feeds", 240) }, redis.url);
  });
});

test("a small call whose result is awaited is kept compactly", async () => {
  const broker = openBroker();
  onTestFinished(() => broker.close());
  const message = messageOf({ args: [100, 200], replyTo: broker.backend.replyChannel });
  expect(await broker.connect().queues.publish([{ queue: "feeds", message }])).toEqual([undefined]);
  expect(await broker.redis.object("ENCODING", `${broker.prefix}:feeds:${message.id}`)).toBe("listpack");
});
