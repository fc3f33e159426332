import { newId } from "@bullrush/broker";
import { chain, createApp } from "@bullrush/client";
import { pino } from "pino";
import { describe, expect, inject, it, type TestContext } from "vitest";
import { hangTimeout } from "../../../integration/lib/hang-timeout.js";
import { until } from "../../../integration/lib/until.js";
import { redis } from "../../client/test/redis.js";
import { createWorker } from "../src/index.js";

const ask = (...command: readonly string[]) => redis(inject("redisUrl"), ...command);

/** What makes a key of each type. */
const types = {
  string: (key: string) => ["SET", key, "planted"],
  list: (key: string) => ["RPUSH", key, "planted"],
  hash: (key: string) => ["HSET", key, "planted", "1"],
  zset: (key: string) => ["ZADD", key, "1", "planted"],
  set: (key: string) => ["SADD", key, "planted"],
} as const;

type Type = keyof typeof types;

/** Keys as the reference has them, with the type that each is of; `<id>` is that of a task that runs, or of its flow. */
const keys: readonly (readonly [key: string, type: Type | "stream"])[] = [
  ["<prefix>:<queue>:<id>", "hash"],
  ["<prefix>:<queue>:<id>:lock", "string"],
  ["<prefix>:<queue>:wait", "list"],
  ["<prefix>:<queue>:paused", "list"],
  ["<prefix>:<queue>:prioritized", "zset"],
  ["<prefix>:<queue>:pc", "string"],
  ["<prefix>:<queue>:delayed", "zset"],
  ["<prefix>:<queue>:active", "list"],
  ["<prefix>:<queue>:stalled", "set"],
  ["<prefix>:<queue>:stalled-check", "string"],
  ["<prefix>:<queue>:completed", "zset"],
  ["<prefix>:<queue>:failed", "zset"],
  ["<prefix>:<queue>:marker", "zset"],
  ["<prefix>:<queue>:events", "stream"],
  ["<prefix>:<queue>:meta", "hash"],
  ["<prefix>:<queue>:id", "string"],
  ["<prefix>:<queue>:limiter", "string"],
  ["bullrush:queue:<prefix>:<queue>:dead-letters", "zset"],
  ["bullrush:queue:<prefix>:<queue>:dead-letter:<id>", "hash"],
  ["bullrush:queue:<prefix>:<queue>:retained", "hash"],
  ["bullrush:queues:<prefix>", "set"],
  ["bullrush:flow:<prefix>:<id>", "hash"],
  ["bullrush:flow:<prefix>:<id>:sent", "string"],
  ["bullrush:flow:<prefix>:<id>:done", "string"],
  ["bullrush:flow:<prefix>:<id>:0", "hash"],
  ["bullrush:flow:<prefix>:<id>:backlog", "list"],
  ["bullrush:flow:<prefix>:<id>:cascade", "list"],
  ["bullrush:flows:<prefix>", "zset"],
  ["bullrush:result:<id>", "string"],
  ["bullrush:group:<id>", "string"],
];

/** What is logged when the loop has to pause, or an outage is taken for granted: all queues wait then. */
const forAllQueues = ["nothing taken or settled", "not all was taken or settled", "not waiting for tasks", "broker cannot be reached"];

/** An app with a worker on `b`, and on a queue for each type that a key is not of. */
async function stage(ownType: Type | "stream", { onTestFinished }: TestContext) {
  const wrong = (Object.keys(types) as Type[]).filter((type) => type !== ownType);
  const app = createApp({ broker: inject("redisUrl"), prefix: newId() });
  const lines: Record<string, unknown>[] = [];
  const log = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const worker = createWorker(app, { log, queues: ["b", ...wrong], concurrency: 20, lease: "3s", scan: "500ms" });
  let release: () => void = () => undefined;
  onTestFinished(async () => {
    release();
    await worker.stop(AbortSignal.abort());
    await app.close();
  });
  let released = Promise.resolve();
  const begun = new Set<string>();
  const held = app.task("held", async function (value: string) {
    begun.add(this.id);
    await released;
    return value;
  });
  const quick = app.task("quick", (value: unknown) => value);
  await worker.start();

  /** Has a task run in each queue until it is released, one that is the first of two. */
  async function hold() {
    released = new Promise((resolve) => (release = resolve));
    const sent = await Promise.all(wrong.map((queue) => chain(held.s("held").set({ queue }), quick.s().set({ queue })).delay()));
    await until(() => expect(sent.every(({ parent }) => begun.has(parent?.id ?? ""))).toBe(true));
    return sent;
  }

  /** Has tasks of `b` run, one after the other, and many at once. */
  async function honest() {
    for (let number = 0; number < 5; number++)
      expect(await (await quick.applyAsync([number], { queue: "b" })).get({ timeout: hangTimeout })).toBe(number);
    const many = await app.publishAll(Array.from({ length: 100 }, (_, number) => quick.s(number).set({ queue: "b" })));
    expect(await Promise.all(many.map((result) => result.get({ timeout: hangTimeout })))).toEqual(many.map((_, number) => number));
  }

  /** What `key` stands for in each of the queues. */
  function named(key: string, sent: Awaited<ReturnType<typeof hold>>): readonly string[] {
    const isOfFlow = key.startsWith("bullrush:flow:");
    return wrong.map((queue, at) =>
      key
        .replace("<prefix>", app.options.prefix)
        .replace("<queue>", queue)
        .replace("<id>", (isOfFlow ? sent[at]?.id : sent[at]?.parent?.id) ?? ""),
    );
  }

  /** Puts keys of wrong types into the places of these. */
  async function plant(places: readonly string[]) {
    for (const [at, place] of places.entries()) {
      // In one step: the worker may make the key anew between two.
      const replace = "redis.call('DEL', KEYS[1]) return redis.call(unpack(ARGV))";
      await ask("EVAL", replace, "1", place, ...types[wrong[at] as Type](place));
    }
  }

  return { app, worker, wrong, lines, quick, hold, honest, named, plant, release: () => release() };
}

describe.concurrent("a key of the wrong type stops no more than what it is about:", () => {
  it.for(keys)("%s", async ([key, ownType], context) => {
    const { app, worker, wrong, lines, quick, hold, honest, named, plant, release } = await stage(ownType, context);
    const sent = await hold();
    const places = named(key, sent);
    await plant(places);
    await honest();
    // Whoever sends there hears at once how it went.
    await Promise.allSettled(wrong.map((queue) => quick.applyAsync(["more"], { queue })));
    await honest();

    const other = await quick.applyAsync(["other"], { queue: "elsewhere" });
    expect(await other.status()).toBe("PENDING");
    for (const handle of sent) await handle.parent?.status();
    expect(await app.engine.queues.counts(["b", ...wrong])).toHaveLength(wrong.length + 1);
    // By an id alone it is found in a queue that this app does not know because of that set.
    expect(await app.revoke([other.id, newId()])).toEqual([key !== "bullrush:queues:<prefix>", false]);
    await other.forget();

    release();
    await honest();
    const settled = sent.map(async ({ parent }) => parent?.get({ timeout: hangTimeout }));
    const isSaid = () => lines.some(({ msg }) => msg === "a settlement was refused" || String(msg).startsWith("lease lost"));
    await until(async () => {
      const left = await Promise.all(wrong.map((queue) => ask("LLEN", `${app.options.prefix}:${queue}:active`).catch(() => 1)));
      expect(isSaid() || left.every((count) => count === 0)).toBe(true);
    });

    for (const place of places) await ask("DEL", place);
    const again = await Promise.all(wrong.map((queue) => quick.applyAsync(["again"], { queue })));
    expect(await Promise.all(again.map((result) => result.get({ timeout: hangTimeout })))).toEqual(wrong.map(() => "again"));
    expect(await Promise.all(settled)).toEqual(wrong.map(() => "held"));

    const running = await hold();
    await plant(named(key, running));
    release();
    await honest();
    expect(await worker.stop()).toBe(0);
    expect(lines.map(({ msg }) => msg).filter((msg) => forAllQueues.includes(String(msg)))).toEqual([]);
  });
});

it("what is no job under an id of a call keeps none of the other ids from being found, revoked and sent", async (context) => {
  const { app, quick, wrong, plant } = await stage("hash", context);
  const planted = wrong.map(() => newId());
  const sent = await Promise.all([1, 2].map((value) => quick.applyAsync([value], { queue: "elsewhere" })));
  await plant(planted.map((id) => `${app.options.prefix}:elsewhere:${id}`));
  const ids = [...planted, ...sent.map(({ id }) => id)];
  const tasks = ids.map((id) => ({ id, queues: ["elsewhere"] }));
  expect(await app.engine.queues.locate(tasks)).toEqual([...planted.map(() => "absent"), "waiting", "waiting"]);
  expect(await app.revoke(ids)).toEqual([...planted.map(() => false), true, true]);
  const calls = [...planted, newId()].map((taskId) => quick.applyAsync([3], { queue: "elsewhere", taskId }));
  expect((await Promise.allSettled(calls)).map(({ status }) => status)).toEqual([...planted.map(() => "rejected"), "fulfilled"]);
  const delayed = [...planted, newId()].map((taskId) => quick.applyAsync([3], { queue: "elsewhere", taskId, countdown: 60_000 }));
  expect((await Promise.allSettled(delayed)).map(({ status }) => status)).toEqual([...planted.map(() => "rejected"), "fulfilled"]);
});
