import { once } from "node:events";
import { connect } from "node:net";
import { Queue, Worker } from "bullmq";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openRedis, type RedisServer } from "../../src/embedded/index.js";
import { portOf, withClient } from "./support.js";

let server: RedisServer;

beforeAll(async () => {
  server = await openRedis({ only: "embedded" });
});

afterAll(() => server.stop());

test("it outlives more connections than it has descriptors", { timeout: 300_000 }, async () => {
  for (let count = 0; count < 6100; count += 1) {
    const socket = connect(portOf(server.url), "127.0.0.1");
    socket.write("PING\r\n");
    await once(socket, "data");
    socket.destroy();
  }
  expect(await withClient(server.url, (client) => client.ping())).toBe("PONG");
});

test("its memory is bounded and nothing is evicted", async () => {
  const memory = await withClient(server.url, (client) => client.info("memory"));
  expect(memory).toContain(`maxmemory:${2 ** 30}\r\n`);
  expect(memory).toContain("maxmemory_policy:noeviction\r\n");
});

test("databases are apart, also when a script selects them", async () => {
  const one = await withClient(`${server.url}/1`, async (client) => {
    await client.set("key", "one");
    return client.get("key");
  });
  const two = await withClient(`${server.url}/2`, async (client) => {
    await client.set("key", "two");
    return client.get("key");
  });
  expect([one, two]).toEqual(["one", "two"]);
  await withClient(server.url, async (client) => {
    const script =
      "redis.call('SELECT', 2) local two = redis.call('GET', 'key') redis.call('SELECT', 1) return { two, redis.call('GET', 'key') }";
    expect(await client.eval(script, 0)).toEqual(["two", "one"]);
    expect(await client.get("key")).toBeNull();
  });
});

test("scripts have cmsgpack and cjson", async () => {
  await withClient(server.url, async (client) => {
    const script = "return cjson.encode({ cmsgpack.unpack(cmsgpack.pack('a')), cjson.decode('[1,2]')[2] })";
    expect(await client.eval(script, 0)).toBe('["a",2]');
  });
});

test("subscribers hear, blocked readers wake and time out", async () => {
  await withClient(server.url, (client) =>
    withClient(server.url, async (other) => {
      await other.subscribe("channel");
      const heard = once(other, "message");
      await client.publish("channel", "text");
      expect(await heard).toEqual(["channel", "text"]);
      await other.unsubscribe();

      const popped = other.bzpopmin("set", 5);
      await client.zadd("set", 1, "member");
      expect(await popped).toEqual(["set", "member", "1"]);
      expect(await other.bzpopmin("set", 0.05)).toBeNull();
    }),
  );
});

test("commands are counted", async () => {
  const stats = await withClient(server.url, async (client) => {
    await client.ping();
    return client.info("commandstats");
  });
  expect(stats).toMatch(/^cmdstat_ping:calls=\d+/m);
});

test("BullMQ processes 2,000 jobs, each once", async () => {
  const connection = { host: "127.0.0.1", port: portOf(server.url), maxRetriesPerRequest: null };
  const queue = new Queue("jobs", { connection });
  const seen: number[] = [];
  let completed = 0;
  const worker = new Worker<{ number: number }>("jobs", async (job) => seen.push(job.data.number), {
    connection,
    concurrency: 50,
    autorun: false,
  });
  try {
    const numbers = Array.from({ length: 2000 }, (_, number) => number);
    await queue.addBulk(numbers.map((number) => ({ name: "job", data: { number } })));
    const done = new Promise<void>((resolve) => worker.on("completed", () => (completed += 1) === 2000 && resolve()));
    void worker.run();
    await done;
    expect(seen.toSorted((a, b) => a - b)).toEqual(numbers);
    expect(await queue.getJobCounts("completed", "failed", "waiting", "active")).toEqual({
      completed: 2000,
      failed: 0,
      waiting: 0,
      active: 0,
    });
  } finally {
    await worker.close();
    await queue.close();
  }
});
