import { randomUUID } from "node:crypto";
import { createApp, type App } from "@bullrush/client";
import { createWorker } from "@bullrush/worker";
import { Queue, QueueEvents, type JobType } from "bullmq";
import { pino } from "pino";
import { describe, test, type TestContext } from "vitest";
import { eventually } from "../lib/eventually.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { redisUrl } from "../lib/redis-url.js";

interface Scene {
  readonly app: App;
  /** BullMQ's view of the one queue, which a worker of ours takes from. */
  readonly queue: Queue;
  readonly options: { readonly prefix: string; readonly connection: { readonly url: string } };
  /** The first argument of every run, in their order. */
  readonly runs: readonly unknown[];
  /** Ends the tasks called `hold`. */
  release(): void;
  /** Waits until the queue counts so many jobs in each state. */
  reached(counts: Readonly<Partial<Record<JobType, number>>>): Promise<unknown>;
}

/** A worker of ours at work, with tasks that succeed, fail, or hold until they are released. */
async function scene({ onTestFinished }: TestContext, concurrency = 10): Promise<Scene> {
  const prefix = randomUUID();
  const options = { prefix, connection: { url: redisUrl() } };
  const runs: unknown[] = [];
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const app = createApp({ broker: redisUrl(), prefix });
  app.task("ok", (data: unknown) => void runs.push(data));
  app.task("bad", (data: unknown) => {
    runs.push(data);
    throw new Error("boom");
  });
  app.task("hold", async (data: unknown) => {
    runs.push(data);
    await released;
  });
  const worker = createWorker(app, { concurrency, log: pino({ level: "silent" }) });
  const producer = createApp({ broker: redisUrl(), prefix });
  const queue = new Queue("default", options);
  onTestFinished(async () => {
    release();
    await worker.stop(AbortSignal.abort());
    await queue.obliterate({ force: true });
    await Promise.all([queue.close(), producer.close()]);
  });
  await worker.start();
  const reached: Scene["reached"] = (counts) =>
    eventually(`the queue counts ${JSON.stringify(counts)}`, async () => {
      const found = await queue.getJobCounts(...(Object.keys(counts) as JobType[]));
      return Object.entries(counts).every(([state, count]) => found[state] === count);
    });
  return { app: producer, queue, options, runs, release, reached };
}

describe.concurrent("while a worker of ours runs, BullMQ's own tools", () => {
  test("retry a failed task of ours, and its stored result stands", async (context) => {
    const { expect } = context;
    const { app, queue, runs, reached } = await scene(context);
    const result = await app.sendTask("bad", ["once"]);
    const ignored = await app.sendTask("bad", ["every time"], { ignoreResult: true });
    await reached({ failed: 2 });
    await (await queue.getJob(result.id))?.retry();
    await (await queue.getJob(ignored.id))?.retry();
    await eventually("both have ended again", async () => {
      const jobs = await Promise.all([result, ignored].map(({ id }) => queue.getJob(id)));
      return jobs.every((job) => job?.attemptsMade === 2);
    });
    expect(await result.status()).toBe("FAILURE");
    expect(runs.filter((run) => run === "once")).toHaveLength(1);
    expect(runs).toHaveLength(3);
    await queue.retryJobs({ state: "failed" });
    await eventually("it has run a third time", () => runs.length === 4);
    await reached({ failed: 2, waiting: 0, active: 0 });
  });

  test("run it again when its result is gone, or its starts are", async (context) => {
    const { expect } = context;
    const { app, queue, runs, reached } = await scene(context);
    const forgotten = await app.sendTask("bad", ["forgotten"]);
    const reset = await app.sendTask("bad", ["reset"]);
    await reached({ failed: 2 });
    const record = await reset.get({ propagate: false });
    await app.engine.results.forget([forgotten.id]);
    await (await queue.getJob(forgotten.id))?.retry();
    await (await queue.getJob(reset.id))?.retry("failed", { resetAttemptsMade: true, resetAttemptsStarted: true });
    await eventually("both have run twice", () => runs.length === 4);
    await reached({ failed: 2, waiting: 0, active: 0 });
    expect(await forgotten.status()).toBe("FAILURE");
    expect(await reset.get({ propagate: false })).toEqual(record);
  });

  test("retry jobs of plain producers, failed or completed", async (context) => {
    const { expect } = context;
    const { queue, runs, reached } = await scene(context);
    await queue.addBulk(["ok", "bad"].map((name) => ({ name, data: name })));
    await reached({ completed: 1, failed: 1 });
    await queue.retryJobs({ state: "completed" });
    await (await queue.getFailed())[0]?.retry("failed", { resetAttemptsMade: true, resetAttemptsStarted: true });
    await eventually("both have run twice", () => runs.length === 4);
    await reached({ completed: 1, failed: 1, active: 0, waiting: 0 });
    expect((await queue.getFailed())[0]).toMatchObject({ attemptsMade: 1, attemptsStarted: 1, failedReason: "boom" });
  });

  test("clean finished and waiting jobs", async (context) => {
    const { expect } = context;
    const { app, queue, reached, release } = await scene(context, 1);
    for (const name of ["ok", "bad"]) await app.sendTask(name, [name]);
    await queue.addBulk(["ok", "bad"].map((name) => ({ name, data: name })));
    await reached({ completed: 2, failed: 2 });
    await app.sendTask("hold");
    await reached({ active: 1 });
    await app.sendTask("ok");
    await queue.add("ok", 1);
    expect((await queue.clean(0, 0, "completed")).length).toBe(2);
    expect((await queue.clean(0, 0, "failed")).length).toBe(2);
    expect((await queue.clean(0, 0, "wait")).length).toBe(2);
    release();
    await reached({ active: 0, waiting: 0, failed: 0, completed: 1 });
  });

  test("pause and resume, also in the middle", async (context) => {
    const { expect } = context;
    const { app, queue, runs, reached, release } = await scene(context);
    const held = await app.sendTask("hold", ["held"]);
    await reached({ active: 1 });
    await queue.pause();
    const later = await app.sendTask("ok", ["later"]);
    await queue.add("ok", "later still");
    release();
    await held.get({ timeout: hangTimeout });
    expect(await later.status()).toBe("PENDING");
    expect(runs).toEqual(["held"]);
    await queue.resume();
    await reached({ completed: 3 });
  });

  test("drain and obliterate, and the queue goes on", async (context) => {
    const { expect } = context;
    const { app, queue, runs, reached, release } = await scene(context, 1);
    await app.sendTask("hold", ["held"]);
    await reached({ active: 1 });
    await app.sendTask("ok", ["drained"]);
    await app.sendTask("ok", ["drained"], { countdown: "1h" });
    await queue.drain(true);
    await reached({ waiting: 0, delayed: 0, active: 1 });
    await app.sendTask("ok", ["obliterated"]);
    await queue.obliterate({ force: true });
    release();
    const next = await app.sendTask("ok", ["next"]);
    await queue.resume();
    await next.get({ timeout: hangTimeout });
    expect(runs).toEqual(["held", "next"]);
    await reached({ active: 0, waiting: 0, completed: 1 });
  });

  test("promote a delayed job, and change delay and priority", async (context) => {
    const { expect } = context;
    const { app, queue, runs, reached } = await scene(context, 1);
    const soon = await app.sendTask("ok", ["promoted"], { countdown: "1h" });
    const sooner = await app.sendTask("ok", ["sooner"], { countdown: "1h" });
    await (await queue.getJob(soon.id))?.promote();
    await soon.get({ timeout: hangTimeout });
    await (await queue.getJob(sooner.id))?.changeDelay(50);
    await sooner.get({ timeout: hangTimeout });
    await queue.pause();
    await app.sendTask("ok", ["plain"]);
    const changed = await app.sendTask("ok", ["changed"]);
    await (await queue.getJob(changed.id))?.changePriority({ priority: 3 });
    await queue.resume();
    await reached({ completed: 4 });
    expect(runs).toEqual(["promoted", "sooner", "plain", "changed"]);
  });

  test("read and write logs, progress and data of a job", async (context) => {
    const { expect } = context;
    const { app, queue, reached, release } = await scene(context);
    const result = await app.sendTask("hold", ["held"]);
    await reached({ active: 1 });
    const job = await queue.getJob(result.id);
    await job?.log("a line");
    await job?.updateProgress(50);
    expect(await queue.getJobLogs(result.id)).toEqual({ logs: ["a line"], count: 1 });
    expect((await queue.getJob(result.id))?.progress).toBe(50);
    expect((await queue.getJobs(["active"])).map(({ id }) => id)).toEqual([result.id]);
    await expect(job?.remove()).rejects.toThrow(/locked/);
    release();
    await result.get({ timeout: hangTimeout });
    await reached({ completed: 1 });
    await job?.remove();
    expect(await queue.getJobLogs(result.id)).toEqual({ logs: [], count: 0 });
    expect(await result.get()).toBeUndefined();
  });

  test("get the events of all jobs in QueueEvents", async (context) => {
    const { expect } = context;
    const { app, queue, options, reached } = await scene(context);
    const events = new QueueEvents("default", options);
    context.onTestFinished(() => events.close());
    await events.waitUntilReady();
    const heard = new Map<string, string[]>();
    for (const event of ["added", "waiting", "active", "delayed", "completed", "failed", "retries-exhausted"] as const) {
      events.on(event, ({ jobId }: { jobId: string }) => void heard.set(jobId, [...(heard.get(jobId) ?? []), event]));
    }
    const ours = await app.sendTask("bad");
    const theirs = await queue.add("bad", 1, { attempts: 2, backoff: 10 });
    await expect(theirs.waitUntilFinished(events, 5000)).rejects.toThrow("boom");
    await reached({ failed: 2 });
    await eventually("all is heard", () => [ours.id, theirs.id].every((id) => heard.get(id ?? "")?.includes("retries-exhausted")));
    expect(heard.get(ours.id)).toEqual(["added", "waiting", "active", "failed", "retries-exhausted"]);
    expect(heard.get(theirs.id ?? "")).toEqual([
      ...["added", "waiting", "active"],
      ...["delayed", "waiting", "active"],
      ...["failed", "retries-exhausted"],
    ]);
  });

  test("limit how many run at once, and how many start in a while", async (context) => {
    const { expect } = context;
    const { app, queue, reached, runs, release } = await scene(context);
    await queue.setGlobalConcurrency(2);
    for (const n of [1, 2]) await app.sendTask("hold", [n]);
    for (const n of [3, 4]) await queue.add("hold", n);
    await reached({ active: 2, waiting: 2 });
    release();
    await reached({ completed: 4 });
    await queue.removeGlobalConcurrency();
    await queue.setGlobalRateLimit(1, 150);
    const since = Date.now();
    for (const n of [5, 6]) await app.sendTask("ok", [n]);
    await queue.add("ok", 7);
    await reached({ completed: 7 });
    expect(Date.now() - since).toBeGreaterThanOrEqual(250);
    expect(new Set(runs)).toEqual(new Set([1, 2, 3, 4, 5, 6, 7]));
    expect(runs).toHaveLength(7);
  });

  test("count no metrics: a Worker of BullMQ's collects them", async (context) => {
    const { expect } = context;
    const { app, queue, reached } = await scene(context);
    await app.sendTask("ok");
    await queue.add("ok", 1);
    await reached({ completed: 2 });
    expect(await queue.getMetrics("completed")).toMatchObject({ meta: { count: 0 }, data: [] });
  });
});
