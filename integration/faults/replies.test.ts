import { randomUUID } from "node:crypto";
import { createApp, type App, type AsyncResult } from "@bullrush/client";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { engineScript } from "../../packages/broker/src/bullmq/engine.js";
import { scriptAt, type Script } from "../../packages/broker/src/redis/script.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { openProxy } from "../lib/proxy.js";
import { openFleet, type Fleet } from "../lib/fleet.js";
import { places, type Place } from "../lib/places.js";
import { eventually } from "../lib/eventually.js";
import { redisUrl } from "../lib/redis-url.js";

const [beside] = places as readonly [Place];

/** A fleet, and a proxy in front of its broker, for clients that lose replies. */
async function scene({ backend }: Place = beside) {
  const proxy = await openProxy(redisUrl());
  const fleet = openFleet({ backend: await backend() });
  const redis = new Redis(redisUrl(), { replyMapping: "legacy" });
  return {
    ...{ proxy, fleet, redis },
    [Symbol.asyncDispose]: async () => {
      redis.disconnect();
      await fleet[Symbol.asyncDispose]();
      await proxy.close();
    },
  };
}

/**
 * A producer of the fleet, through the proxy. Its timeout is so long that it sends again only when
 * the test wants it.
 */
function producer({ prefix }: Fleet, broker: string): App {
  return createApp({ broker, backend: redisUrl(), prefix, queues: ["one"], defaultQueue: "one", publishTimeout: "30s" });
}

async function completed({ app }: Fleet): Promise<number | undefined> {
  return (await app.engine.queues.counts(["one"]))[0]?.completed;
}

/** Loads a script into a Redis, so that its first call by hash succeeds. */
async function acquaint(url: string, script: Script): Promise<void> {
  const { lua } = await script.load();
  const redis = new Redis(url, { replyMapping: "legacy" });
  await redis.script("LOAD", lua);
  redis.disconnect();
}

/** Pushes ended jobs out of what is kept of the queue: 50 jobs. */
async function outlive(fleet: Fleet, redis: Redis, id: string): Promise<void> {
  await Promise.all(Array.from({ length: 50 }, () => fleet.app.sendTask("nothing")));
  await eventually("it is removed", async () => (await redis.exists(`${fleet.prefix}:one:${id}`)) === 0);
}

describe.concurrent("a lost reply", () => {
  it.each([{ removed: false }, { removed: true }])("to a publish sends no second task, removed by then: $removed", async ({ removed }) => {
    await using scenery = await scene();
    const { proxy, fleet, redis } = scenery;
    await using app = producer(fleet, proxy.url);
    const worker = fleet.start("only");
    await worker.waitForEntry({ msg: "ready" });
    await app.engine.queues.counts(["one"]);

    const id = randomUUID();
    const lost = proxy.loseReply(id);
    const send = (): Promise<AsyncResult> => app.sendTask("hold", [0], { taskId: id });
    // A machine that is too busy to come back in time says that it may be sent again.
    const sending = send().catch(send);
    await lost;
    await eventually("it has run", () => fleet.ledger.of(id, "end").length === 1);
    if (removed) await outlive(fleet, redis, id);
    proxy.reset();
    const sent = await sending;
    expect(await sent.get({ timeout: hangTimeout })).toEqual({ worker: "only", attempt: 1 });
    if (removed) await worker.waitForEntry({ msg: "not run: its stored result stands", id });
    expect(fleet.ledger.of(id)).toHaveLength(1);
    expect(await fleet.app.engine.queues.counts(["one"])).toMatchObject([{ waiting: 0, failed: 0 }]);
  });

  it("no less than a lost request sends a task once", async () => {
    await using scenery = await scene();
    const { proxy, fleet } = scenery;
    await using app = producer(fleet, proxy.url);
    await app.engine.queues.counts(["one"]);
    const id = randomUUID();
    const lost = proxy.loseRequest(id);
    const send = (): Promise<AsyncResult> => app.sendTask("hold", [0], { taskId: id });
    const sending = send().catch(send);
    await lost;
    expect(await fleet.app.engine.queues.counts(["one"])).toMatchObject([{ waiting: 0 }]);
    proxy.reset();
    const sent = await sending;
    fleet.start("only");
    expect(await sent.get({ timeout: hangTimeout })).toEqual({ worker: "only", attempt: 1 });
    expect(fleet.ledger.of(id)).toHaveLength(1);
  });

  it.each(["hold", "once"])("to a take, three times: the task runs long before its lease is over, and is no failure: %s", async (task) => {
    await using scenery = await scene();
    const { proxy, fleet, redis } = scenery;
    const { app, ledger } = fleet;
    const worker = fleet.start("only", { broker: proxy.url, lease: "1h" });
    await worker.waitForEntry({ msg: "ready" });
    const script = engineScript("settle-and-take");
    const exchange = await script.load();
    await acquaint(redisUrl(), script);
    let lost = proxy.loseReply(exchange.sha);
    const sent = await app.sendTask(task, [0]);
    for (;;) {
      await lost;
      if ((await redis.hget(`${fleet.prefix}:one:${sent.id}`, "ats")) === "3") break;
      lost = proxy.loseReply(exchange.sha);
      proxy.reset();
    }
    expect(ledger.of(sent.id)).toEqual([]);
    proxy.reset();
    expect(await sent.get({ timeout: hangTimeout })).toEqual({ worker: "only", attempt: 1 });
    expect(ledger.of(sent.id)).toHaveLength(1);
  });

  const settlements = places.flatMap((place) => [false, true].map((removed) => ({ ...place, removed })));

  it.each(settlements)("to a settlement: one result $results, removed by then: $removed", async ({ removed, ...place }) => {
    await using scenery = await scene(place);
    const { proxy, fleet, redis } = scenery;
    const { app, ledger } = fleet;
    // So long that only its settlement names the task.
    const worker = fleet.start("first", { broker: proxy.url, lease: "1h" });
    await worker.waitForEntry({ msg: "ready" });
    const sent = await app.sendTask("hold", [1000]);
    await eventually("it has begun", () => ledger.of(sent.id).length === 1);
    const lost = proxy.loseReply(sent.id);
    await lost;
    const other = removed ? fleet.start("second") : undefined;
    await other?.waitForEntry({ msg: "ready" });
    await eventually("it is settled", async () => (await completed(fleet)) === 1);
    const stored = await sent.get({ timeout: hangTimeout });
    expect(stored).toEqual({ worker: "first", attempt: 1 });
    if (removed) await outlive(fleet, redis, sent.id);
    proxy.reset();
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
    expect(await sent.get()).toEqual(stored);
    expect(ledger.of(sent.id)).toHaveLength(1);
    expect(await app.engine.queues.counts(["one"])).toMatchObject([{ waiting: 0, active: 0, failed: 0 }]);
  });

  const apart = places.filter(({ results }) => results === "on another server");

  it.each(apart)("to a store, with results $results: stored once, and settled", async (place) => {
    await using scenery = await scene(place);
    const { fleet } = scenery;
    await using proxy = await openProxy(await place.backend());
    const worker = fleet.start("only", { backend: proxy.url });
    await worker.waitForEntry({ msg: "ready" });
    const sent = await fleet.app.sendTask("hold", [500]);
    await proxy.loseReply(sent.id);
    const stored = await sent.get({ timeout: hangTimeout });
    expect(await completed(fleet)).toBe(0);
    proxy.reset();
    await eventually("it is settled", async () => (await completed(fleet)) === 1);
    expect(await sent.get()).toEqual(stored);
    expect(fleet.ledger.of(sent.id)).toHaveLength(1);
    expect(
      worker.entries.filter(
        ({ msg }) => msg === "this run does not count: its lease was lost, and another run of the task has ended it, or will",
      ),
    ).toEqual([]);
  });

  it.each([
    { what: "the count of a begin", script: engineScript("count"), place: beside, of: "broker" as const },
    ...places.map((place) => ({ what: `a claim ${place.results}`, script: scriptAt("redis/claim"), place, of: "backend" as const })),
  ])("to $what: the task runs, and it is no crash more", async ({ script, place, of }) => {
    await using scenery = await scene(place);
    const { fleet, redis } = scenery;
    const target = of === "broker" ? redisUrl() : await place.backend();
    await acquaint(target, script);
    await using proxy = await openProxy(target);
    const { app, ledger } = fleet;
    const first = fleet.start("first");
    const sent = await app.sendTask<string>("linger", [60_000, null, "first"]);
    await eventually("it has begun", () => ledger.of(sent.id).length === 1);
    await first.kill();
    const lost = proxy.loseReply((await script.load()).sha);
    const second = fleet.start("second", { [of]: proxy.url, lease: "15s" });
    await lost;
    proxy.reset();
    await eventually("it has begun again", () => ledger.of(sent.id).length === 2);
    expect(await redis.hget(`${fleet.prefix}:one:${sent.id}`, "startedDeliveries")).toBe(" 1 2 ");
    ledger.write("may end", sent.id);
    expect(await sent.get({ timeout: hangTimeout })).toBe("second");
    expect(await second.stop()).toEqual({ code: 0, signal: null });
  });
});
