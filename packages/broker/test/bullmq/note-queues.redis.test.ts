import { Redis } from "ioredis";
import { expect, inject, onTestFinished, test } from "vitest";
import { queueNotes } from "../../src/bullmq/note-queues.js";
import { newId } from "../../src/id.js";
import { queuesKey } from "../../src/redis/keys.js";

test("queues are noted once, and again when the Redis may have been emptied", async () => {
  const client = new Redis(inject("redisUrl"), { replyMapping: "legacy" });
  onTestFinished(() => client.disconnect());
  const prefix = newId();
  let now = 0;
  const note = queueNotes(prefix, { now: () => now });
  const noted = async () => new Set(await client.smembers(queuesKey(prefix)));
  note(client, ["a", "b"]);
  expect(await noted()).toEqual(new Set(["a", "b"]));
  await client.del(queuesKey(prefix));
  now = 59_999;
  note(client, ["a", "c"]);
  expect(await noted()).toEqual(new Set(["c"]));
  now = 60_000;
  note(client, ["a", "b", "c"]);
  expect(await noted()).toEqual(new Set(["a", "b", "c"]));
});
