import { createApp, type App, type AppOptions, type TaskContext } from "@bullrush/client";
import { newId } from "@bullrush/broker";
import { pino } from "pino";
import { expect, inject, it, onTestFinished } from "vitest";
import { hangTimeout } from "../../../integration/lib/hang-timeout.js";
import { createWorker, type Worker, type WorkerOptions } from "../src/index.js";

/** A worker and what it logs. */
interface Observed {
  readonly worker: Worker;
  readonly entries: readonly Readonly<Record<string, unknown>>[];
}

function appOn(prefix: string, options: AppOptions = {}): App {
  const app = createApp({ broker: inject("redisUrl"), prefix, ...options });
  onTestFinished(() => app.close());
  return app;
}

function workerOf(app: App, options: WorkerOptions = {}): Observed {
  const entries: Readonly<Record<string, unknown>>[] = [];
  const log = pino({}, { write: (line: string) => void entries.push(JSON.parse(line) as Record<string, unknown>) });
  const worker = createWorker(app, { log, ...options });
  onTestFinished(async () => void (await worker.stop(AbortSignal.abort())));
  return { worker, entries };
}

it("starts once, however often it is asked to", async () => {
  const prefix = newId();
  const app = appOn(prefix);
  app.task("echo", (value: unknown) => value);
  const { worker, entries } = workerOf(app);
  await Promise.all([worker.start(), worker.start()]);
  await worker.start();
  expect(entries.filter(({ msg }) => msg === "ready")).toHaveLength(1);
  const result = await appOn(prefix).sendTask("echo", ["on"]);
  expect(await result.get({ timeout: hangTimeout })).toBe("on");
});

it("warns of queues that its app does not declare", async () => {
  const { worker, entries } = workerOf(appOn(newId(), { queues: ["mail"], defaultQueue: "mail" }), { queues: ["mail", "mial"] });
  await worker.start();
  expect(entries.filter(({ level }) => level === 40)).toMatchObject([{ queues: ["mial"], declared: ["mail"] }]);
});

it("takes from the queues that routes, tasks and entries of beat name, and warns of none of them", async () => {
  const beat = { nightly: { task: "echo", schedule: "1h", options: { queue: "night" } } } as const;
  const app = appOn(newId(), { routes: { "mail.*": "mail" }, beat });
  app.task("echo", { queue: "echoes" }, (value: unknown) => value);
  const all = ["default", "mail", "night", "echoes"];
  expect(workerOf(app).worker.options.queues.map(({ name }) => name)).toEqual(all);
  const { worker, entries } = workerOf(app, { queues: ["mail", "echoes", "night"] });
  await worker.start();
  expect(entries.filter(({ level }) => level === 40)).toEqual([]);
});

it("gives a result to whoever waits for one, though the task is declared to have none", async () => {
  const prefix = newId();
  const app = appOn(prefix);
  const seen: TaskContext[] = [];
  app.task("quiet", { ignoreResult: true }, function () {
    seen.push(this);
    return "said";
  });
  await workerOf(app).worker.start();
  const producer = appOn(prefix);
  expect(await (await producer.sendTask("quiet")).get({ timeout: hangTimeout })).toBe("said");
  expect(await (await producer.stub("quiet").delay()).get({ timeout: hangTimeout })).toBe("said");
  expect(seen).toHaveLength(2);
});

it("runs what was purged and sent anew under the id of a task that was claimed before", async () => {
  const prefix = newId();
  const taskId = newId();
  const producer = appOn(prefix);
  const send = () => producer.sendTask<number>("attempt", [], { taskId });
  await send();
  await producer.engine.results.claim([{ id: taskId, delivery: 2, expires: 60_000, worker: "gone" }]);
  expect(await producer.engine.queues.purge("default")).toBe(1);
  const result = await send();
  const app = appOn(prefix);
  app.task("attempt", function () {
    return this.attempt;
  });
  const { worker, entries } = workerOf(app, { lease: "1m" });
  await worker.start();
  expect(await result.get({ timeout: hangTimeout })).toBe(1);
  expect(entries.filter(({ msg }) => msg === "not run: a later delivery has claimed it")).toHaveLength(1);
});
