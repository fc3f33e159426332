import { fileURLToPath } from "node:url";
import { chain, chord, createApp, group, type App } from "@bullrush/client";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { deadLettersOf } from "../../packages/broker/test/dead-letters.js";
import { openFleet, type Fleet, type Supervised } from "../lib/fleet.js";
import { eventually } from "../lib/eventually.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { long } from "../lib/long.js";
import { startProgram } from "../lib/program.js";
import { serverBinary, startServer, type Server } from "../lib/server.js";
import { denialsOf, forgetDenials, rulesOf, type Part } from "./acl-rules.js";

const taskBeat = fileURLToPath(new URL("../../packages/beat/bin/task-beat.js", import.meta.url));
const beatTasks = fileURLToPath(new URL("../beat/fixtures/tasks.mjs", import.meta.url));

if (serverBinary === undefined)
  console.log("skipped: the rules of the security page, because PATH has no redis-server and no valkey-server");

/** Servers with the users of the page, and a fleet of these. */
interface Guarded extends AsyncDisposable {
  readonly fleet: Fleet;
  /** The users with all rights, on each server. */
  readonly admins: readonly Redis[];
  /** The URL for `user`. */
  url(user: string, part: Part): string;
}

async function openGuarded(isApart: boolean): Promise<Guarded> {
  const queues = await startServer();
  const results = isApart ? await startServer() : queues;
  const serverOf: Record<Part, Server> = { queues, results };
  const admins = [...new Set([queues, results])].map((server) => new Redis(server.url(), { replyMapping: "legacy" }));
  const adminOf = (part: Part) => (part === "queues" ? admins[0] : admins.at(-1)) as Redis;
  const fleetOf = (url: Guarded["url"]) =>
    openFleet({ broker: url("client", "queues"), backend: url("client", "results"), worker: { unregisteredGrace: "1s", concurrency: 10 } });
  const url = (user: string, part: Part) => serverOf[part].url().replace("//", `//${user}:${user}-password@`);
  const fleet = fleetOf(url);
  for (const { part, user, password, args } of rulesOf(fleet.prefix, "one")) {
    expect(password).toBe(`${user}-password`);
    await adminOf(part).call("ACL", ...args);
  }
  await Promise.all(admins.map(forgetDenials));
  return {
    fleet,
    admins,
    url,
    [Symbol.asyncDispose]: async () => {
      await fleet[Symbol.asyncDispose]();
      for (const admin of admins) admin.disconnect();
      await Promise.all([queues.kill(), results.kill()]);
    },
  };
}

const patience = { timeout: hangTimeout } as const;

const layouts = [
  { servers: "two servers", isApart: true },
  { servers: "one server", isApart: false },
];

describe.skipIf(serverBinary === undefined).each(long ? layouts : layouts.slice(0, 1))(
  "rules of the security page, on $servers",
  ({ isApart }) => {
    it("workers, clients, beats and observers: can do all that they do", { timeout: 400_000 }, async () => {
      await using guarded = await openGuarded(isApart);
      const { fleet, admins, url } = guarded;
      const { app } = fleet;
      const as = { broker: url("worker", "queues"), backend: url("worker", "results") };
      const a = fleet.supervise("a", as);
      const b = fleet.supervise("b", { ...as, pool: "processes", concurrency: 5 });

      await canvases(app);
      await plainCalls(app);
      await bullmqJobs(guarded);
      await revocations(app);
      await crashes(fleet, { a, b });
      await beats(guarded);
      await observed(guarded);
      await board(guarded);
      await purged(app);

      expect(await Promise.all(admins.map(denialsOf))).toEqual(admins.map(() => ({ logged: [], counted: 0 })));
      await denied(guarded);
    });
  },
);

async function canvases(app: App): Promise<void> {
  const mix = (...args: unknown[]) => app.signature<string>("mix", args);
  const broken = app.signature<string>("broken", ["of purpose"], { linkError: mix("told") });
  const handles = [
    await chain(mix(1), mix(2), mix(3)).delay(),
    await chord(group(Array.from({ length: 150 }, (_, index) => mix(index))), mix("body")).delay(),
    await app.signature("swap", [chain(mix(4), mix(5)).toJSON()]).delay(),
    await app.signature("swap", [group(mix(6), mix(7)).toJSON()]).delay(),
    await app.sendTask("ask", ["mix", 1]),
    await app.sendTask("countdown", [3]),
  ];
  await Promise.all(handles.map((handle) => handle.get(patience)));
  await expect(
    chain(mix(8), broken, mix(9))
      .delay()
      .then((handle) => handle.get(patience)),
  ).rejects.toThrow("broken");
  await expect(
    chord(group(mix(10), broken), mix("body"))
      .delay()
      .then((handle) => handle.get(patience)),
  ).rejects.toThrow("broken");
  const saved = await group(mix(11), mix(12)).delay();
  await saved.save();
  expect(await (await app.groupResult(saved.id))?.get(patience)).toHaveLength(2);
  await saved.forget();
  for (const handle of handles) await handle.forget();
}

async function plainCalls(app: App): Promise<void> {
  const handles = [
    await app.sendTask("mix", [1], { priority: 3 }),
    await app.sendTask("mix", [2], { countdown: 300 }),
    await app.sendTask("nothing", [], { ignoreResult: true }),
    await app.sendTask("mix", [3], { expires: "1ms" }),
    await app.sendTask("refuse"),
    await app.sendTask("nobody"),
  ];
  const outcomes = await Promise.all(
    [handles[0], handles[1], handles[4], handles[5]].map((one) => one?.get({ ...patience, propagate: false })),
  );
  expect(outcomes.map((outcome) => (outcome as { readonly state: string }).state)).toEqual(["SUCCESS", "SUCCESS", "FAILURE", "FAILURE"]);
  expect(await app.asyncResult(handles[0]?.id ?? "").status()).toBe("SUCCESS");
  await handles[5]?.forget();
}

async function bullmqJobs({ fleet: { prefix, app }, admins, url }: Guarded): Promise<void> {
  const queue = new Queue("one", { connection: optionsOf(url("mailer", "queues")), prefix });
  await queue.add("hold", 10);
  await queue.add("hold", 10, { priority: 2 });
  await queue.add("hold", 10, { delay: 50 });
  await queue.add("broken", "of purpose", { attempts: 2 });
  await queue.add("mix", { bullrush: 2, args: "spoilt" }, { jobId: "f0c7f6c4-6a55-4c39-9f4c-0d8a63f0e001" });
  await eventually("they have ended", async () => {
    const [counts] = await app.engine.queues.counts(["one"]);
    return counts?.waiting === 0 && counts.delayed === 0 && counts.active === 0;
  });
  await eventually("the spoilt one is a dead letter", async () =>
    (await deadLettersOf(admins[0] as Redis, prefix, "one")).some(({ id }) => id?.endsWith("e001") ?? false),
  );
  await queue.close();
}

async function revocations(app: App): Promise<void> {
  const waiting = await app.sendTask("mix", [1], { countdown: "1h" });
  expect(await waiting.revoke({ reason: "not needed" })).toBe(true);
  const running = await app.sendTask("heed", [99]);
  await eventually("it runs", async () => (await running.details()).worker !== undefined);
  expect(await running.revoke()).toBe(true);
  const killed = await app.sendTask("hold", [60_000]);
  await eventually("it runs", async () => (await killed.details()).worker !== undefined);
  expect(await killed.revoke({ terminate: true })).toBe(true);
  const flow = await chain(app.signature("mix", [1], { countdown: "1h" }), app.signature("mix")).delay();
  expect(await flow.revoke()).toBe(true);
  expect(await app.revoke("f0c7f6c4-6a55-4c39-9f4c-0d8a63f0e002")).toBe(false);
}

async function crashes({ app, ledger }: Fleet, workers: Readonly<Record<string, Supervised>>): Promise<void> {
  const long = await app.sendTask("hold", [60_000]);
  await eventually("it has begun", () => ledger.of(long.id).length > 0);
  await workers[ledger.of(long.id)[0]?.worker ?? ""]?.current().kill();
  await eventually("it has begun again", () => ledger.of(long.id).length > 1);
  expect(await long.revoke({ terminate: true })).toBe(true);
  const killer = await app.sendTask("killer");
  expect(await killer.get({ ...patience, propagate: false })).toMatchObject({ failure: { code: "TASK_POISONED" } });
  await killer.forget();
}

async function beats({ fleet: { app, prefix, env }, url }: Guarded): Promise<void> {
  const entries = { often: { task: "nothing", schedule: "200ms" }, rarely: { task: "nothing", schedule: "1h" } };
  const redises = { broker: url("beat", "queues"), backend: "redis://127.0.0.1:1" };
  const start = () =>
    startProgram({
      file: taskBeat,
      args: ["-A", beatTasks, "--log-format", "json"],
      env: { ...env(redises), BEAT_PREFIX: prefix, BEAT_ENTRIES: JSON.stringify(entries) },
    });
  const first = start();
  await first.waitForEntry({ msg: "ready" });
  const second = start();
  await second.waitForEntry({ msg: "ready" });
  const ticksOf = async (name: string) => (await app.beat.list()).find((entry) => entry.name === name)?.count ?? 0;
  await eventually("it ticks", async () => (await ticksOf("often")) > 2);
  await app.beat.set("added", { task: "nothing", schedule: "100ms" });
  await eventually("what was added ticks", async () => (await ticksOf("added")) > 1);
  await (await app.beat.trigger("rarely")).status();
  expect(await app.beat.pause("added")).toBe(true);
  expect(await app.beat.resume("added")).toBe(true);
  await first.kill();
  const before = await ticksOf("often");
  await eventually("the other one goes on", async () => (await ticksOf("often")) > before);
  expect(await app.beat.remove("added")).toBe(true);
  expect(await second.stop()).toMatchObject({ code: 0 });
}

function observer({ fleet: { prefix }, url }: Guarded): App {
  return createApp({
    broker: url("observer", "queues"),
    backend: url("observer", "results"),
    prefix,
    queues: ["one"],
    defaultQueue: "one",
  });
}

async function observed(guarded: Guarded): Promise<void> {
  const { app } = guarded.fleet;
  const done = await app.sendTask("mix", [1]);
  await done.get(patience);
  const running = await app.sendTask("hold", [60_000]);
  await eventually("it runs", async () => (await running.status()) === "STARTED");
  const waiting = await app.sendTask("mix", [1], { countdown: "1h" });
  const looking = observer(guarded);
  const seen = [done, running, waiting].map(({ id }) => looking.asyncResult(id));
  expect(await Promise.all(seen.map((one) => one.status()))).toEqual(["SUCCESS", "STARTED", "PENDING"]);
  expect((await seen[1]?.details())?.worker).toMatch(/^[ab]$/);
  expect(await seen[0]?.details()).toMatchObject({ state: "SUCCESS" });
  expect(await looking.engine.queues.counts(["one"])).toEqual(await app.engine.queues.counts(["one"]));
  expect((await looking.beat.list()).map(({ name }) => name)).toContain("rarely");
  await looking.close();
  await running.revoke({ terminate: true });
}

async function board({ fleet: { prefix, app }, url }: Guarded): Promise<void> {
  const queue = new Queue("one", { connection: optionsOf(url("board", "queues")), prefix, skipMetasUpdate: true });
  const [counts] = await app.engine.queues.counts(["one"]);
  expect(await queue.getJobCounts()).toMatchObject({ delayed: counts?.delayed, completed: counts?.completed });
  const jobs = await queue.getJobs(["delayed", "completed", "failed"]);
  expect(jobs.length).toBeGreaterThan(5);
  expect(await jobs[0]?.getState()).toBe("delayed");
  expect((await queue.getJobLogs(jobs[0]?.id ?? "")).count).toBe(0);
  expect(await queue.isPaused()).toBe(false);
  await queue.close();
}

async function purged(app: App): Promise<void> {
  expect(await app.engine.queues.purge("one")).toBeGreaterThan(0);
}

/** Writes of users who may only read, and for each role the commands that it must not use. */
async function denied(guarded: Guarded): Promise<void> {
  const { fleet, admins, url } = guarded;
  const looking = observer(guarded);
  const { id } = await fleet.app.sendTask("mix", [1]);
  const attempts: (() => Promise<unknown>)[] = [
    () => looking.sendTask("mix", [1]),
    () => looking.sendTask("mix", [1], { priority: 1 }),
    () => looking.sendTask("mix", [1], { countdown: 1000 }),
    () => chain(looking.signature("mix", [1]), looking.signature("mix")).delay(),
    () => looking.revoke(id),
    () => looking.asyncResult(id).forget(),
    () => looking.engine.queues.purge("one"),
    () => looking.beat.set("mine", { task: "mix", schedule: "1s" }),
    () => looking.beat.pause("often"),
    () => looking.beat.remove("often"),
  ];
  for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject({ code: "REDIS_AUTH" });
  await looking.close();

  const key = `${fleet.prefix}:one:`;
  const writes: Readonly<Record<string, readonly (readonly string[])[]>> = {
    observer: [
      ...[
        ["SET", `${key}id`, "1"],
        ["DEL", `${key}wait`],
        ["HSET", `${key}meta`, "paused", "1"],
        ["LPUSH", `${key}wait`, "1"],
        ["ZADD", `${key}delayed`, "1", "1"],
      ],
      ...[
        ["XADD", `${key}events`, "*", "a", "b"],
        ["PUBLISH", `bullrush:control:${fleet.prefix}`, "{}"],
        ["SUBSCRIBE", "bullrush:reply:any"],
        ["EXPIRE", `${key}id`, "1"],
      ],
      ...[
        ["EVAL", "return redis.call('DEL', ARGV[1])", "0", `${key}wait`],
        ["EVAL", "return redis.call('LPUSH', KEYS[1], 'x')", "1", `${key}wait`],
      ],
    ],
    board: [
      ["DEL", `${key}wait`],
      ["HSET", `${key}meta`, "paused", "1"],
      ["EVAL", "return redis.call('DEL', ARGV[1])", "0", `${key}wait`],
      ["GET", `bullrush:result:${id}`],
    ],
    mailer: [
      ["HSET", `${fleet.prefix}:two:x`, "a", "b"],
      ["SET", `bullrush:result:${id}`, "x"],
      ["PUBLISH", "bullrush:reply:any", "x"],
      ["SMEMBERS", `bullrush:queues:${fleet.prefix}`],
    ],
    beat: [
      ["SET", `bullrush:result:${id}`, "x"],
      ["PUBLISH", "bullrush:reply:any", "x"],
      ["HSET", `bullrush:flow:${fleet.prefix}:x`, "a", "b"],
    ],
    client: [
      ["FLUSHALL"],
      ["CONFIG", "SET", "maxmemory", "1"],
      ["KEYS", "*"],
      ["SCAN", "0"],
      ["PSUBSCRIBE", "bullrush:reply:*"],
      ["HSET", "other:one:x", "a", "b"],
      ["PUBLISH", "bullrush:control:other", "{}"],
    ],
    worker: [
      ["FLUSHALL"],
      ["CONFIG", "SET", "maxmemory", "1"],
      ["KEYS", "*"],
      ["PSUBSCRIBE", "bullrush:reply:*"],
      ["HSET", "other:one:x", "a", "b"],
      ["SET", `bullrush:beat:${fleet.prefix}:app:epoch`, "9"],
    ],
  };
  for (const [user, commands] of Object.entries(writes)) {
    const redis = new Redis(url(user, "queues"), { replyMapping: "legacy" });
    for (const [command = "", ...args] of commands) {
      await expect(redis.call(command, ...args), `${user}: ${command} ${args.join(" ")}`).rejects.toThrow(/NOPERM|can't (run|access)/);
    }
    redis.disconnect();
  }
  expect((await denialsOf(admins[0] as Redis)).logged).not.toEqual([]);
}

function optionsOf(url: string) {
  const { hostname, port, username, password } = new URL(url);
  return { host: hostname, port: Number(port), username, password };
}
