import { randomUUID } from "node:crypto";
import { createApp, type App } from "@bullrush/client";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compiledFixture } from "../lib/fixture.js";
import { eventually } from "../lib/eventually.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { startWorker, type WorkerProcess } from "../lib/task-worker.js";
import { redisUrl } from "../lib/redis-url.js";
import { deadLettersOf } from "../../packages/broker/test/dead-letters.js";

const fixture = compiledFixture("fixtures/tasks.ts", import.meta.url);
const canary = "c4nary-word";

let prefix: string;
let app: App;
let redis: Redis;

beforeEach(() => {
  prefix = `messages-${randomUUID()}`;
  app = createApp({ broker: redisUrl(), prefix, queues: ["one", "two"], defaultQueue: "one" });
  redis = new Redis(redisUrl(), { replyMapping: "legacy", maxRetriesPerRequest: null });
});

afterEach(async () => {
  redis.disconnect();
  await app.close();
});

function start(...args: readonly string[]): WorkerProcess {
  return startWorker({ app: fixture, args, env: { FIXTURE_PREFIX: prefix, FIXTURE_QUEUES: "one,two" } });
}

/** Checks that the worker still runs tasks. */
async function expectRunning(queue = "one"): Promise<void> {
  const next = await app.sendTask("fixture.add", [1, 2], { queue });
  expect(await next.get({ timeout: hangTimeout })).toBe(3);
}

/**
 * That nothing is left in `queue` to be run, or on loan: a result can be read before its message is
 * settled.
 */
async function expectSettled(queue: string): Promise<void> {
  await eventually(`${queue} is empty`, async () => {
    const [counts] = await app.engine.queues.counts([queue]);
    return counts?.waiting === 0 && counts.active === 0;
  });
}

/**
 * That the dead letters of queue `one` come to be these messages, and no others, for these reasons.
 */
async function expectKept(expected: readonly { readonly id: string; readonly reason: string }[]): Promise<void> {
  const deadLetters = () => deadLettersOf(redis, prefix, "one");
  await eventually(`${expected.length} dead letters are kept`, async () => (await deadLetters()).length >= expected.length);
  const kept = new Map((await deadLetters()).map(({ id, reason }) => [id, reason]));
  expect(kept.size).toBe(expected.length);
  for (const { id, reason } of expected) expect(kept.get(id)).toContain(reason);
}

/** Without grace: an unknown task fails at once. */
const now = ["--unregistered-grace", "0ms"];

describe("a task that the worker does not know", () => {
  it("without grace: fails at its caller, names the known tasks, and becomes a dead letter", async () => {
    await using worker = start(...now);
    const sent = await app.sendTask("fixture.ad", [canary]);
    const error: unknown = await sent.get({ timeout: hangTimeout }).catch((error: unknown) => error);
    expect(error).toMatchObject({ code: "TASK_FAILED", cause: { code: "TASK_NOT_REGISTERED" } });
    expect(String(error)).toContain(
      'task "fixture.ad" is not registered here (known: fixture.add, fixture.fail, fixture.hold, fixture.echo, fixture.relay)',
    );
    expect(await sent.status()).toBe("FAILURE");
    await expectKept([{ id: sent.id, reason: 'task "fixture.ad" is not registered here' }]);
    expect(await worker.waitForEntry({ msg: "not run", id: sent.id })).toMatchObject({
      level: 50,
      queue: "one",
      code: "TASK_NOT_REGISTERED",
    });
    await expectRunning();
    expect(worker.lines.join("\n")).not.toContain(canary);
  });
});

describe("a message that cannot be read", () => {
  const flaws = [
    { text: `{"${canary}`, reason: "it is not JSON, or has a forbidden key" },
    { text: `{"bullrush":2,"__proto__":{"${canary}":1}}`, reason: "it is not JSON, or has a forbidden key" },
    { text: `{"bullrush":2,"${canary}":1}`, reason: '"args" is missing; expected an array' },
    { text: `{"bullrush":99,"${canary}":1}`, reason: "its version is 99, and this release reads version 2" },
    { text: undefined, reason: "its hash is gone" },
  ];

  it("fails at its caller, becomes a dead letter, and the worker goes on", async () => {
    const sent = await Promise.all(flaws.map(async (flaw) => ({ ...flaw, result: await app.sendTask("fixture.add", [1, 2]) })));
    for (const { text, result } of sent) {
      const key = `${prefix}:one:${result.id}`;
      await (text === undefined ? redis.del(key) : redis.hset(key, "data", text));
    }
    await using worker = start(...now);
    // Not sooner: nobody knows a message whose hash is gone, until it has failed.
    for (const { result } of sent) await worker.waitForEntry({ msg: "not run", id: result.id });
    await expectSettled("one");
    const errors = await Promise.all(sent.map(({ result }) => result.get({ timeout: hangTimeout }).catch((error: unknown) => error)));
    for (const [index, { reason, result }] of sent.entries()) {
      expect(errors[index]).toMatchObject({ code: "TASK_FAILED", cause: { code: "DECODE_ERROR" } });
      expect(String(errors[index])).toContain(`the message cannot be decoded: ${reason}`);
      expect(await worker.waitForEntry({ msg: "not run", id: result.id })).toMatchObject({ level: 50, code: "DECODE_ERROR" });
    }
    await expectRunning();
    await expectKept(sent.map(({ result: { id }, reason }) => ({ id, reason })));
    expect(worker.lines.join("\n")).not.toContain(canary);
  });
});

describe("a task that is taken after its time", () => {
  it("is revoked, not run", async () => {
    const late = await app.sendTask("fixture.hold", [], { expires: new Date(Date.now() - 1) });
    await using worker = start();
    await expect(late.get({ timeout: hangTimeout })).rejects.toMatchObject({
      code: "TASK_REVOKED",
      message: expect.stringContaining("expired") as string,
    });
    expect(await late.status()).toBe("REVOKED");
    expect(await late.get({ propagate: false })).toEqual({ state: "REVOKED", reason: "expired" });
    await expectRunning();
    expect(worker.entries.map(({ msg }) => msg)).not.toContain("holding");
  });
});

describe("a job of a plain BullMQ producer", () => {
  const { hostname, port } = new URL(redisUrl());

  async function add(queueName: string, name: string, data: unknown, jobId?: string): Promise<string> {
    const queue = new Queue(queueName, { prefix, connection: { host: hostname, port: Number(port) } });
    const job = await queue.add(name, data, { ...(jobId !== undefined && { jobId }) });
    await queue.close();
    return job.id ?? "";
  }

  async function field(queue: string, id: string, name: string): Promise<string | null> {
    return redis.hget(`${prefix}:${queue}:${id}`, name);
  }

  it("runs, with its data as the argument, and keeps its return value", async () => {
    await using worker = start();
    await worker.ready;
    const id = await add("one", "fixture.echo", { to: canary, tries: [1] });
    await worker.waitForEntry({ msg: "succeeded", task: "fixture.echo", id });
    await eventually("it has its return value", async () => (await field("one", id, "returnvalue")) !== null);
    expect(JSON.parse((await field("one", id, "returnvalue")) ?? "")).toEqual({ to: canary, tries: [1] });
    await expectSettled("one");
    expect(worker.lines.join("\n")).not.toContain(canary);
  });

  it("fails, with the reason where BullMQ keeps it", async () => {
    await using worker = start();
    await worker.ready;
    const id = await add("one", "fixture.fail", { word: canary });
    await worker.waitForEntry({ msg: "failed", task: "fixture.fail", id });
    await eventually("it has failed", async () => (await field("one", id, "failedReason")) !== null);
    expect(await field("one", id, "failedReason")).toBe("out of order");
    expect(await app.engine.queues.counts(["one"])).toMatchObject([{ failed: 1 }]);
  });

  it("can send tasks, which have no parent, and stores no progress", async () => {
    await using worker = start();
    await worker.ready;
    const id = await add("one", "fixture.relay", {}, `theirs-${randomUUID()}`);
    await eventually("it has its return value", async () => (await field("one", id, "returnvalue")) !== null);
    const sent = app.asyncResult(JSON.parse((await field("one", id, "returnvalue")) ?? "") as string);
    expect(await sent.get({ timeout: hangTimeout })).toBe(3);
    expect(await redis.exists(`bullrush:result:${id}`)).toBe(0);
    const ignored = await app.sendTask("fixture.relay", [], { ignoreResult: true });
    await worker.waitForEntry({ msg: "succeeded", id: ignored.id });
    expect(await redis.exists(`bullrush:result:${ignored.id}`)).toBe(0);
    expect(worker.entries.filter(({ level }) => Number(level) >= 40)).toEqual([]);
  });

  it("is put back for later when no task has its name: the others go on, and one line warns", async () => {
    const id = await add("one", "somebody.elses", { word: canary });
    await using worker = start();
    const warning = await worker.waitForEntry({ level: 40, queue: "one", name: "somebody.elses" });
    expect(warning).toMatchObject({ msg: "put back: a BullMQ job that no task here is for" });
    for (const queue of ["one", "two", "one"]) await expectRunning(queue);
    await eventually("it was put back", async () => (await field("one", id, "unknownSince")) !== null);
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
    const [counts] = await app.engine.queues.counts(["one"]);
    expect([(counts?.waiting ?? 0) + (counts?.delayed ?? 0), counts?.active, counts?.failed]).toEqual([1, 0, 0]);
    expect(await field("one", id, "name")).toBe("somebody.elses");
    expect(worker.entries.filter(({ level }) => Number(level) >= 40)).toEqual([warning]);
    expect(worker.lines.join("\n")).not.toContain(canary);
  });
});
