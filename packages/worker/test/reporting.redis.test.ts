import { newId, type StoreRequest } from "@bullrush/broker";
import { createApp, type App, type AsyncResult, type Progress, type TaskContext } from "@bullrush/client";
import { pino } from "pino";
import { expect, inject, it, onTestFinished } from "vitest";
import { hangTimeout } from "../../../integration/lib/hang-timeout.js";
import { createWorker } from "../src/index.js";

type Entry = Readonly<Record<string, unknown>>;

function appOn(prefix: string): App {
  const app = createApp({ broker: inject("redisUrl"), prefix });
  onTestFinished(() => app.close());
  return app;
}

/** A worker with a task "job", the handle on one call of it, what the worker logs and which records its tasks have stored while they ran. */
async function running(job: (this: TaskContext, app: App) => unknown, options: { readonly maxRetries?: number } = {}) {
  const app = appOn(newId());
  const entries: Entry[] = [];
  const stores: StoreRequest[] = [];
  const store = app.engine.results.store.bind(app.engine.results);
  Object.assign(app.engine.results, { store: (records: readonly StoreRequest[]) => (stores.push(...records), store(records)) });
  app.task("job", options, function () {
    return job.call(this, app);
  });
  app.task("child", () => 1);
  const log = pino({ level: "debug" }, { write: (line: string) => void entries.push(JSON.parse(line) as Entry) });
  const worker = createWorker(app, { log });
  onTestFinished(async () => void (await worker.stop(AbortSignal.abort())));
  await worker.start();
  const re: AsyncResult = await appOn(app.options.prefix).sendTask("job");
  return { app, re, entries, stores };
}

it("a loop that reports does not flood Redis, and its last report is not lost", async () => {
  let go: () => void = () => undefined;
  const seen = new Promise<void>((resolve) => (go = resolve));
  const began = Date.now();
  const { re, stores } = await running(async function () {
    for (let current = 1; current <= 100_000; current++) await this.progress({ current, total: 100_000 });
    await seen;
    return "done";
  });
  const reports: Progress[] = [];
  for await (const report of re.iterate({ timeout: hangTimeout })) {
    reports.push(report);
    if ((report.meta as { current: number }).current === 100_000) go();
  }
  expect(await re.get()).toBe("done");
  expect(reports.at(-1)).toEqual({ state: "PROGRESS", meta: { current: 100_000, total: 100_000 } });
  // One in 100 ms, the first and the last. Half as many again, because timers differ.
  expect(stores.length).toBeLessThan(3 + (Date.now() - began) / 66);
});

/** Something that is awaited until it happens. */
function once() {
  let happen: () => void = () => undefined;
  const happened = new Promise<void>((resolve) => (happen = resolve));
  return { happened, happen };
}

it("who waits hears of reports at once", async () => {
  const all = ["ONE", "TWO", "THREE"];
  const heard = all.map(once);
  const { re } = await running(async function () {
    for (const [index, state] of all.entries()) {
      await this.updateState(state, { state });
      await heard[index]?.happened;
    }
  });
  const states: string[] = [];
  for await (const { state } of re.iterate({ timeout: hangTimeout })) {
    if (states.at(-1) !== state) states.push(state);
    heard[all.indexOf(state)]?.happen();
  }
  expect(states).toEqual(all);
});

it("the log has the state and how far it is, and nothing else of what was said", async () => {
  const { re, entries } = await running(async function () {
    await this.updateState("ONE", { current: 3, total: 7, password: "secret" });
    await this.updateState("TWO", { current: "secret", total: 7 });
    await this.updateState("THREE", "secret");
    await this.updateState("FOUR");
  });
  await re.get({ timeout: hangTimeout });
  const told = entries
    .filter(({ msg }) => msg === "state")
    .map(({ task, id, state, current, total }) => ({ task, id, state, current, total }));
  const { id } = re;
  const none = { current: undefined, total: undefined };
  expect(told).toEqual([
    { task: "job", id, state: "ONE", current: 3, total: 7 },
    { task: "job", id, state: "TWO", ...none },
    { task: "job", id, state: "THREE", ...none },
    { task: "job", id, state: "FOUR", ...none },
  ]);
  expect(JSON.stringify(entries)).not.toContain("secret");
});

it("what a task has sent is known when it has ended, and when it waits to be tried again", async () => {
  const sent: string[] = [];
  const { re } = await running(async function (app) {
    const one = await app.sendTask("child");
    const others = await app.publishAll([app.stub("child").s(), app.stub("child").s()]);
    sent.push(one.id, ...others.map(({ id }) => id));
    await app.sendTask("child", [], { queue: "a:b" }).catch(() => undefined);
    if (this.attempt === 1) this.retry({ countdown: "1s" });
    return "done";
  });
  await expect.poll(() => re.status()).toBe("RETRY");
  expect((await re.children()).map(({ id }) => id)).toEqual(sent.slice(0, 3));
  expect(await re.get({ timeout: hangTimeout })).toBe("done");
  const children = await re.children();
  expect(children.map(({ id }) => id)).toEqual(sent.slice(3));
  expect(await children[0]?.get({ timeout: hangTimeout })).toBe(1);
});

it("of what a task has sent the first thousand are known", async () => {
  const { re } = await running(async (app) => {
    await app.publishAll(Array.from({ length: 1200 }, () => app.stub("child").s()));
  });
  await re.get({ timeout: hangTimeout });
  expect(await re.children()).toHaveLength(1000);
});

it("a report that is late does not hide that a task waits to be tried again", async () => {
  const { re } = await running(async function () {
    void this.updateState("ONE");
    void this.updateState("TWO");
    return this.retry({ countdown: "1h" });
  });
  await expect.poll(() => re.status()).toBe("RETRY");
});

it("a result over the limit is a failure that says so", async () => {
  const { re } = await running(() => "x".repeat(2 ** 20));
  const error = await re.get({ timeout: hangTimeout }).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "TASK_FAILED", failure: { code: "PAYLOAD_TOO_LARGE" } });
  expect(String(error)).toContain("the result of job: 1048578 bytes, over the limit of 1048576");
});
