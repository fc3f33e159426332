import { Redis } from "ioredis";
import { expect, inject, onTestFinished, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { openConnection } from "../../src/redis/connection.js";
import { compileLocation } from "../../src/redis/location.js";
import { openSubscription } from "../../src/redis/subscription.js";
import { newId } from "../../src/id.js";
import { openProxy } from "../../../../integration/lib/proxy.js";
import { redisBinary, startRedis } from "./private-redis.js";

/** A subscription to the Redis at `url`, checked all the time, and what it has heard. */
async function listen(url: string) {
  const channel = `test-${newId()}`;
  const heard: string[] = [];
  let gaps = 0;
  let demoted = 0;
  const open = () => openConnection(compileLocation(url), { service: "broker", name: channel });
  const onDemoted = () => demoted++;
  const subscription = openSubscription(open, { channel, action: "nothing", deadline: 5000, checkEvery: 50, onDemoted });
  onTestFinished(() => subscription.close());
  await subscription.subscribe(
    (payload) => heard.push(payload),
    () => gaps++,
  );
  return { subscription, channel, heard, gaps: () => gaps, demoted: () => demoted };
}

function publisher(): Redis {
  const redis = new Redis(inject("redisUrl"));
  onTestFinished(() => redis.disconnect());
  return redis;
}

async function throughProxy() {
  const proxy = await openProxy(inject("redisUrl"));
  onTestFinished(() => proxy.close());
  return proxy;
}

test("a link that dies silently: a fresh one hears, after a gap, and each message once", async () => {
  const proxy = await throughProxy();
  const { channel, heard, gaps } = await listen(proxy.url);
  const redis = publisher();
  await redis.publish(channel, "before");
  await eventually("the first message", () => heard.length === 1);
  proxy.blackhole();
  await eventually("the gap", () => gaps() > 0);
  await redis.publish(channel, "after");
  await eventually("the second message", () => heard.length === 2);
  expect(heard).toEqual(["before", "after"]);
  await eventually("the silent link is closed", () => proxy.connections() === 1);
});

test("a link that is reset: it hears again, after a gap", async () => {
  const proxy = await throughProxy();
  const { channel, heard, gaps } = await listen(proxy.url);
  proxy.reset();
  await eventually("the gap", () => gaps() > 0);
  await publisher().publish(channel, "after");
  await eventually("the message", () => heard.length === 1);
});

test("a link that is closed while it subscribes again: nothing is rejected that nobody handles", async () => {
  const proxy = await throughProxy();
  const { subscription } = await listen(proxy.url);
  const hold = proxy.hold("subscribe");
  proxy.reset();
  await hold.held;
  subscription.close();
  hold.letGo();
  await eventually("it is closed", () => proxy.connections() === 0);
});

test("a link that is well: no gap, however often it is checked", async () => {
  const proxy = await throughProxy();
  const { channel, heard, gaps } = await listen(proxy.url);
  const redis = publisher();
  const checks = async () => Number(/cmdstat_hello:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1] ?? 0);
  const before = await checks();
  await eventually("several checks", async () => (await checks()) > before + 5);
  await redis.publish(channel, "a");
  await eventually("the message", () => heard.length === 1);
  expect(gaps()).toBe(0);
  expect(proxy.connections()).toBe(1);
});

test.skipIf(redisBinary === undefined)("a primary that becomes a replica: it connects anew, and says so", async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  const { channel, gaps, demoted } = await listen(server.url);
  const idOf = async () => new RegExp(`id=(\\d+) .* name=${channel} `).exec(String(await server.client.client("LIST")))?.[1];
  const id = await idOf();
  expect(id).toBeDefined();
  await eventually("a check", async () => /cmd=hello/.test(String(await server.client.client("LIST"))));
  await server.client.replicaof("127.0.0.1", 1);
  await eventually("another connection", async () => ![undefined, id].includes(await idOf()));
  await eventually("the gap", () => gaps() > 0);
  expect(demoted()).toBeGreaterThan(0);
});

test.skipIf(redisBinary === undefined)("a channel that is refused for a while after a loss: it hears again", async () => {
  const server = await startRedis();
  onTestFinished(() => server.stop());
  await server.client.call("ACL", "SETUSER", "ann", "on", ">secret", "~*", "&*", "+@all");
  const { channel, heard, gaps } = await listen(server.url.replace("//", "//ann:secret@"));
  const refused = async () => Number(/cmdstat_subscribe:.*rejected_calls=(\d+)/.exec(await server.client.info("commandstats"))?.[1] ?? 0);
  // Redis ends the connections of those who listen where they may not any more.
  await server.client.call("ACL", "SETUSER", "ann", "resetchannels");
  await eventually("a refusal", async () => (await refused()) > 0);
  expect(gaps()).toBe(0);
  await server.client.call("ACL", "SETUSER", "ann", "&*");
  await eventually("the gap", () => gaps() > 0);
  await server.client.publish(channel, "after");
  await eventually("the message", () => heard.length === 1);
});
