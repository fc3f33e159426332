import { AsyncLocalStorage } from "node:async_hooks";
import { chain, chord, createApp, currentTask, group, type App, type Execution, type FailureInfo, type Middleware } from "@bullrush/client";
import { expect, onTestFinished, test } from "vitest";
import { eager, sent } from "../src/index.js";

/** An app whose own Redis nobody runs, eager until the test has ended. */
function eagerApp(options: Parameters<typeof createApp>[0] = {}): App {
  const app = createApp({ broker: "redis://127.0.0.1:1/0", ...options });
  const mode = eager(app);
  onTestFinished(() => mode.restore());
  return app;
}

test("a call that is eager: it has ended when delay() resolves, and get() gives its value", async () => {
  const app = eagerApp();
  const seen: string[] = [];
  const add = app.task("tasks.add", (x: number, y: number) => {
    seen.push(`${x} + ${y}`);
    return x + y;
  });
  const result = await add.delay(1, 2);
  expect(seen).toEqual(["1 + 2"]);
  expect(await result.get()).toBe(3);
  expect(await result.status()).toBe("SUCCESS");
});

test("a task that fails, eager: delay() resolves, and get() throws the failure", async () => {
  const app = eagerApp();
  const fail = app.task("tasks.fail", () => {
    throw new RangeError("too far");
  });
  const result = await fail.delay();
  await expect(result.get()).rejects.toMatchObject({ code: "TASK_FAILED", cause: { name: "RangeError", message: "too far" } });
});

test("arguments that JSON cannot carry, eager: refused as on Redis, and the function is not called", async () => {
  const app = eagerApp({ maxPayload: 1000 });
  let runs = 0;
  app.task("tasks.any", () => void runs++);
  await expect(app.sendTask("tasks.any", [1n])).rejects.toMatchObject({ code: "ENCODE_ERROR" });
  await expect(app.sendTask("tasks.any", ["x".repeat(2000)])).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
  expect(runs).toBe(0);
});

test("a result that JSON cannot carry, eager: the task fails as on Redis", async () => {
  const app = eagerApp();
  app.task("tasks.odd", () => 1n as never);
  await expect((await app.sendTask("tasks.odd")).get()).rejects.toMatchObject({ code: "TASK_FAILED" });
});

test("what a task changes of its arguments, eager: the sender does not see it", async () => {
  const app = eagerApp();
  const grow = app.task("tasks.grow", (list: number[]) => list.push(1));
  const given: number[] = [];
  expect(await (await grow.delay(given)).get()).toBe(1);
  expect(given).toEqual([]);
});

test("retries with delays of hours, eager: all attempts have run when delay() resolves", async () => {
  const app = eagerApp();
  const flaky = app.task("tasks.flaky", { autoRetryFor: Error, retryDelay: "3h", maxRetries: 5 }, function () {
    if (this.attempt < 4) throw new Error("not yet");
    return this.attempt;
  });
  expect(await (await flaky.delay()).get()).toBe(4);
});

test("a task whose retries are spent, eager: get() throws its last failure", async () => {
  const app = eagerApp();
  let runs = 0;
  const broken = app.task("tasks.broken", { autoRetryFor: Error, retryDelay: "1h", maxRetries: 2 }, () => {
    throw new Error(`run ${++runs}`);
  });
  await expect((await broken.delay()).get()).rejects.toMatchObject({ cause: { message: "run 3" } });
});

test("a countdown and an eta, eager: they are skipped", async () => {
  const app = eagerApp();
  const now = app.task("tasks.now", () => "ran");
  expect(await (await now.applyAsync([], { countdown: "30d" })).get()).toBe("ran");
  expect(await (await now.applyAsync([], { eta: new Date(Date.now() + 3_600_000) })).get()).toBe("ran");
});

test("a call that has expired, eager: it is revoked and does not run", async () => {
  const app = eagerApp();
  let runs = 0;
  const late = app.task("tasks.late", () => void runs++);
  const result = await late.applyAsync([], { expires: new Date(Date.now() - 1000) });
  expect(await result.status()).toBe("REVOKED");
  expect(runs).toBe(0);
});

test("a chain, a group, a chord and links, eager: they have ended when delay() resolves", async () => {
  const app = eagerApp();
  const add = app.task("tasks.add", (x: number, y: number) => x + y);
  const total = app.task("tasks.total", (values: number[]) => values.reduce((sum, value) => sum + value, 0));
  const linked: number[] = [];
  const note = app.task("tasks.note", (value: number) => void linked.push(value));
  expect(await (await chain(add.s(1, 2), add.s(3)).delay()).get()).toBe(6);
  expect(await (await group([add.s(1, 1), add.s(2, 2)]).delay()).get()).toEqual([2, 4]);
  expect(await (await chord([add.s(1, 1), add.s(2, 2)], total.s()).delay()).get()).toBe(6);
  await add.applyAsync([20, 22], { link: note.s() });
  expect(linked).toEqual([42]);
});

test("an error link of a task that fails, eager: it has run when applyAsync() resolves", async () => {
  const app = eagerApp();
  const fail = app.task("tasks.fail", () => {
    throw new Error("no");
  });
  const causes: string[] = [];
  const report = app.task("tasks.report", (why: FailureInfo) => void causes.push(why.failure?.message ?? ""));
  await fail.applyAsync([], { linkError: report.s() });
  expect(causes).toEqual(["no"]);
});

test("a task that calls another, eager: the other has ended before it goes on", async () => {
  const app = eagerApp();
  const order: string[] = [];
  const inner = app.task("tasks.inner", (x: number) => {
    order.push("inner");
    return x * 2;
  });
  const outer = app.task("tasks.outer", async (x: number) => {
    order.push("before");
    const result = await inner.delay(x);
    order.push("after");
    return (await result.get()) + 1;
  });
  expect(await (await outer.delay(4)).get()).toBe(9);
  expect(order).toEqual(["before", "inner", "after"]);
});

test("a thousand tasks that each call another, eager: none waits for a slot of the others", async () => {
  const app = eagerApp();
  const leaf = app.task("tasks.leaf", (x: number) => x + 1);
  const branch = app.task("tasks.branch", async (x: number) => (await leaf.delay(x)).get());
  const numbers = Array.from({ length: 1000 }, (_, number) => number);
  const results = await (await group(numbers.map((number) => branch.s(number))).delay()).get();
  expect(results).toEqual(numbers.map((number) => number + 1));
});

test("a call that a task does not await, eager: it has ended when the outer delay() resolves", async () => {
  const app = eagerApp();
  let runs = 0;
  const inner = app.task("tasks.inner", () => void runs++);
  const outer = app.task("tasks.outer", () => {
    void inner.applyAsync([], { countdown: "1h" });
  });
  await outer.delay();
  expect(runs).toBe(1);
});

test("a task that replaces itself and one that ignores its result, eager: both have ended", async () => {
  const app = eagerApp();
  const add = app.task("tasks.add", (x: number, y: number) => x + y);
  const swap = app.task("tasks.swap", function (x: number): number {
    return this.replace(chain(add.s(x, 1), add.s(1)));
  });
  let runs = 0;
  const quiet = app.task("tasks.quiet", { ignoreResult: true }, () => void runs++);
  expect(await (await swap.delay(40)).get()).toBe(42);
  await quiet.delay();
  expect(runs).toBe(1);
});

test("publishAll, eager: all its calls have ended", async () => {
  const app = eagerApp();
  const double = app.task("tasks.double", (x: number) => 2 * x);
  const results = await app.publishAll([double.s(1), double.s(2)]);
  expect(await Promise.all(results.map((result) => result.get()))).toEqual([2, 4]);
});

test("middleware, eager: publish and execute surround each call, and what they refuse does not run", async () => {
  const app = eagerApp();
  const seen: string[] = [];
  const tenant: Middleware = {
    name: "tenant",
    publish: (calls, next) => {
      if (calls.some(({ args }) => args[0] === "stranger")) throw new Error("no tenant");
      return next(calls.map((call) => ({ ...call, headers: { tenant: "t1" } })));
    },
    execute: (execution: Execution, next) => {
      seen.push(`${execution.task} for ${JSON.stringify(execution.headers)}`);
      return next(execution);
    },
  };
  app.use(tenant);
  const greet = app.task("tasks.greet", (name: string) => `hello ${name}`);
  expect(await (await greet.delay("ann")).get()).toBe("hello ann");
  await expect(greet.delay("stranger")).rejects.toThrow("no tenant");
  expect(seen).toEqual(['tasks.greet for {"tenant":"t1"}']);
});

test("this.retry() and this.reject(), eager: they end as on Redis", async () => {
  const app = eagerApp();
  const again = app.task("tasks.again", function () {
    if (this.retries === 0) this.retry({ countdown: "1h" });
    return currentTask().attempt;
  });
  const reject = app.task("tasks.reject", function () {
    this.reject();
  });
  expect(await (await again.delay()).get()).toBe(2);
  await expect((await reject.delay()).get()).rejects.toMatchObject({ cause: { code: "TASK_REJECTED" } });
});

test("a soft time limit, eager: it counts in real time", async () => {
  const app = eagerApp();
  const wait = app.task("tasks.wait", { softTimeLimit: 20 }, function () {
    return new Promise<string>((resolve) => this.signal.addEventListener("abort", () => resolve("aborted")));
  });
  expect(await (await wait.delay()).get()).toBe("aborted");
});

test("a task that is not declared, eager: it fails with TASK_NOT_REGISTERED at once", async () => {
  const app = eagerApp();
  await expect((await app.sendTask("tasks.nowhere")).get()).rejects.toMatchObject({ cause: { code: "TASK_NOT_REGISTERED" } });
});

test("a call to a queue that the app does not declare, eager: it runs", async () => {
  const app = eagerApp();
  const where = app.task("tasks.where", function () {
    return this.queue;
  });
  await where.delay();
  expect(await (await where.applyAsync([], { queue: "elsewhere" })).get()).toBe("elsewhere");
});

test("an exchange that copies to two queues, eager: each copy has run", async () => {
  const app = eagerApp({
    queues: [
      { name: "one", exchange: { name: "all", type: "fanout" } },
      { name: "two", exchange: { name: "all", type: "fanout" } },
    ],
    routes: { "tasks.*": { exchange: "all" } },
  });
  const queues: string[] = [];
  const note = app.task("tasks.note", function () {
    queues.push(this.queue);
  });
  await note.delay();
  expect(queues.toSorted()).toEqual(["one", "two"]);
});

test("two calls at once, eager: one that waits does not hold up the other", async () => {
  const app = eagerApp();
  let release = () => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const slow = app.task("tasks.slow", () => gate);
  const fast = app.task("tasks.fast", () => "fast");
  const waiting = slow.delay();
  expect(await (await fast.delay()).get()).toBe("fast");
  release();
  await waiting;
});

test("restore: the app sends to its own engine again, and can be eager again", async () => {
  const app = createApp({ broker: "memory://" });
  onTestFinished(() => app.close());
  let runs = 0;
  const count = app.task("tasks.count", () => ++runs);
  {
    await using _ = eager(app);
    await count.delay();
  }
  expect(runs).toBe(1);
  const waiting = await count.delay();
  expect(await waiting.status()).toBe("PENDING");
  {
    using _ = eager(app);
    await count.delay();
  }
  expect(runs).toBe(2);
  const again = eager(app);
  await count.delay();
  await again.restore();
  await again.restore();
  expect(runs).toBe(3);
  expect(await waiting.status()).toBe("PENDING");
  expect(app.options.isLocal).toBe(true);
});

test("an app that the code under test closes, eager: restore() opens it again", async () => {
  const app = createApp({ broker: "memory://" });
  onTestFinished(() => app.close());
  const add = app.task("tasks.add", (x: number, y: number) => x + y);
  const mode = eager(app);
  await add.delay(1, 2);
  await app.close();
  await expect(add.delay(1, 2)).rejects.toMatchObject({ code: "APP_CLOSED" });
  await mode.restore();
  expect(await (await add.delay(1, 2)).status()).toBe("PENDING");
});

test("restore at once after a first call: the call settles, and the app is on its own engine", async () => {
  const app = createApp({ broker: "memory://" });
  onTestFinished(() => app.close());
  const add = app.task("tasks.add", (x: number, y: number) => x + y);
  const mode = eager(app);
  await Promise.all([add.delay(1, 2), mode.restore()]);
  expect(await (await add.delay(3, 4)).status()).toBe("PENDING");
});

test("the asynchronous context of a caller, eager: tasks do not run in it", async () => {
  const app = eagerApp();
  const context = new AsyncLocalStorage<string>();
  const look = app.task("tasks.look", () => context.getStore() ?? "none");
  const results = [await context.run("of the test", () => look.delay()), await context.run("of the test", () => look.delay())];
  expect(await Promise.all(results.map((result) => result.get()))).toEqual(["none", "none"]);
});

test("a canvas without tasks, eager: its result is there", async () => {
  const app = eagerApp();
  const length = app.task("tasks.length", (values: unknown[]) => values.length);
  expect(await (await chain(group([]), length.s()).delay()).get()).toBe(0);
});

test("eager twice for one app: INVALID_OPTION, and the first stays", async () => {
  const app = eagerApp();
  const add = app.task("tasks.add", (x: number, y: number) => x + y);
  expect(() => eager(app)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  expect(await (await add.delay(1, 2)).get()).toBe(3);
  expect(sent(app)).toHaveLength(1);
});
