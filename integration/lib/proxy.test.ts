import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { eventually } from "./eventually.js";
import { openProxy, type Proxy } from "./proxy.js";

/** The proxy is tested itself, since tests of faults rely on it. */
describe("the proxy", () => {
  let proxy: Proxy;
  let clients: Redis[];

  beforeEach(async () => {
    proxy = await openProxy(inject("redisUrl"));
    clients = [];
  });

  afterEach(async () => {
    for (const client of clients) client.disconnect();
    await proxy.close();
  });

  function open(): Redis {
    const client = new Redis(proxy.url, {
      replyMapping: "legacy",
      retryStrategy: () => null,
      connectTimeout: 300,
      maxRetriesPerRequest: 0,
    });
    client.on("error", () => undefined);
    clients.push(client);
    return client;
  }

  const answers = (client: Redis) =>
    Promise.race([client.ping().catch(() => "error"), new Promise((resolve) => setTimeout(resolve, 200, "silence"))]);

  test("passes", async () => {
    expect(await answers(open())).toBe("PONG");
    expect(proxy.connections()).toBe(1);
  });

  test("resets", async () => {
    const client = open();
    await client.ping();
    proxy.reset();
    await eventually("the connection has ended", () => client.status === "end");
    expect(await answers(open())).toBe("PONG");
  });

  test("blackhole: existing connections carry nothing, and with alsoNew new ones too", async () => {
    const old = open();
    await old.ping();
    proxy.blackhole();
    expect(await answers(old)).toBe("silence");
    expect(old.status).toBe("ready");
    expect(await answers(open())).toBe("PONG");
    proxy.blackhole({ alsoNew: true });
    expect(await answers(open())).not.toBe("PONG");
    proxy.pass();
    expect(await answers(open())).toBe("PONG");
  });

  test("refuses", async () => {
    proxy.refuse();
    const client = open();
    await eventually("it is refused", () => client.status === "end");
    proxy.pass();
    expect(await answers(open())).toBe("PONG");
  });

  test("hold: keeps requests back, and forwards them on release, even without a client", async () => {
    const key = `test-${randomUUID()}`;
    const clients = [open(), open()];
    for (const client of clients) await client.ping();
    const hold = proxy.hold(key);
    const answers = clients.map((client) => client.incr(key).catch(() => "error"));
    await hold.held;
    expect(await open().ping()).toBe("PONG");
    clients[0]!.disconnect();
    expect(await answers[0]).toBe("error");
    hold.letGo();
    expect(await answers[1]).toBeTypeOf("number");
    const other = open();
    await eventually("both have arrived", async () => (await other.get(key)) === "2");
    await other.del(key);
  });

  test("keeps back replies, one after the other", async () => {
    const [key, other] = [`test-${randomUUID()}`, `test-${randomUUID()}`] as const;
    const client = open();
    const replies = [proxy.holdReply(key), proxy.holdReply(other)] as const;
    const read: unknown[] = [];
    for (const [index, text] of [key, other].entries()) {
      void client.echo(text).then((answer) => read.push(answer));
      await replies[index]?.held;
    }
    replies[0].letGo();
    await eventually("the first is read", () => read.length === 1);
    expect(await answers(client)).toBe("silence");
    replies[1].letGo();
    await eventually("the second is read", () => read.length === 2);
    expect(read).toEqual([key, other]);
    expect(await answers(client)).toBe("PONG");
  });

  test("loseReply: Redis gets the request, and the client no reply", async () => {
    const key = `test-${randomUUID()}`;
    const client = open();
    await client.ping();
    const lost = proxy.loseReply(key);
    const answer = client.set(key, "x", "PX", 10_000).catch(() => "error");
    await lost;
    expect(await answers(client)).toBe("silence");
    expect(await open().get(key)).toBe("x");
    proxy.reset();
    expect(await answer).toBe("error");
  });

  test("loseRequest: Redis gets neither the request nor what follows", async () => {
    const key = `test-${randomUUID()}`;
    const client = open();
    await client.ping();
    const lost = proxy.loseRequest(key);
    const answer = client.set(key, "x", "PX", 10_000).catch(() => "error");
    await lost;
    expect(await answers(client)).toBe("silence");
    expect(await open().get(key)).toBeNull();
    proxy.reset();
    expect(await answer).toBe("error");
  });

  test("slows down, keeping the order", async () => {
    const key = `test-${randomUUID()}`;
    const client = open();
    await client.ping();
    proxy.slow(100);
    const from = performance.now();
    expect(await Promise.all([client.incr(key), client.incr(key), client.incr(key), client.del(key)])).toEqual([1, 2, 3, 1]);
    // Both directions are delayed; a timer may fire a millisecond early.
    expect(performance.now() - from).toBeGreaterThan(197);
    proxy.slow(0);
    expect(await answers(client)).toBe("PONG");
  });

  test("heals", async () => {
    const client = open();
    await client.ping();
    void proxy.loseReply("never asked");
    const lost = proxy.loseReply("lost");
    const answer = client.ping("lost").catch(() => "error");
    await lost;
    proxy.refuse();
    proxy.heal();
    expect(await answer).toBe("error");
    expect(await open().ping("never asked")).toBe("never asked");
    expect(await answers(open())).toBe("PONG");
  });
});
