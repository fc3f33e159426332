import { newId } from "@bullrush/broker";
import { asCompleted, chord, createApp, gather, group, waitFor, type App, type AsyncResult } from "@bullrush/client";
import { pino } from "pino";
import { expect, inject, it, onTestFinished } from "vitest";
import { hangTimeout } from "../../../../integration/lib/hang-timeout.js";
import { createWorker, type Worker, type WorkerOptions } from "../../src/index.js";

/** An app whose tasks count how many of their bodies are being run, those that wait left out. */
class Stage {
  readonly app: App;
  readonly entries: Readonly<Record<string, unknown>>[] = [];
  bodies = 0;
  most = 0;

  constructor(prefix: string = newId()) {
    this.app = createApp({ broker: inject("redisUrl"), prefix, queues: ["default", "inner"] });
    onTestFinished(() => this.app.close());
  }

  /** Counts the body of a task. */
  async body<T>(run: () => Promise<T>): Promise<T> {
    this.#enter();
    try {
      return await run();
    } finally {
      this.bodies--;
    }
  }

  /** Waits inside a body. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    this.bodies--;
    try {
      return await promise;
    } finally {
      this.#enter();
    }
  }

  #enter(): void {
    this.most = Math.max(this.most, ++this.bodies);
  }

  worker(options: WorkerOptions): Worker {
    const log = pino({ base: null }, { write: (line: string) => void this.entries.push(JSON.parse(line) as Record<string, unknown>) });
    const worker = createWorker(this.app, { log, ...options });
    onTestFinished(async () => void (await worker.stop(AbortSignal.abort())));
    return worker;
  }
}

type Sent = AsyncResult<number>;

/** Looks again and again, until what `look` gives is true. */
async function polled(look: () => Promise<boolean>): Promise<void> {
  while (!(await look())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** How a task waits for two others, whose values are 2 and 3. */
const ways: Readonly<Record<string, (stage: Stage, results: readonly [Sent, Sent]) => Promise<number>>> = {
  "get()": async (stage, [a, b]) => (await stage.wait(a.get())) + (await stage.wait(b.get())),
  "get() of both at once": async (stage, results) => {
    const [a, b] = await stage.wait(Promise.all(results.map((result) => result.get())));
    return a! + b!;
  },
  "gather()": async (stage, results) => {
    const [a, b] = await stage.wait(gather(results));
    return a + b;
  },
  "waitFor()": async (stage, results) => {
    const { done } = await stage.wait(waitFor(results));
    return (await done[0]!.get()) + (await done[1]!.get());
  },
  "asCompleted()": async (stage, results) => {
    let sum = 0;
    const iterator = asCompleted(results);
    for (let next = await stage.wait(iterator.next()); next.done !== true; next = await stage.wait(iterator.next())) {
      sum += await next.value.get();
    }
    return sum;
  },
  "iterate()": async (stage, results) => {
    let sum = 0;
    for (const result of results) {
      const { value } = await stage.wait(result.iterate().next());
      sum += (value as { readonly result: number }).result;
    }
    return sum;
  },
  "ready()": async (stage, results) => {
    for (const result of results) await stage.wait(polled(() => result.ready()));
    return (await results[0].get()) + (await results[1].get());
  },
  "status()": async (stage, results) => {
    for (const result of results) await stage.wait(polled(async () => (await result.status()) === "SUCCESS"));
    return (await results[0].get()) + (await results[1].get());
  },
};

it.each(Object.keys(ways))("a task that waits with %s at -c 1 has its subtasks run, one body at a time", async (way) => {
  const stage = new Stage();
  const inner = stage.app.task("inner", (value: number) => stage.body(() => Promise.resolve(value)));
  const outer = stage.app.task("outer", () => stage.body(async () => ways[way]!(stage, [await inner.delay(2), await inner.delay(3)])));
  await stage.worker({ concurrency: 1 }).start();
  const results = await stage.app.publishAll([outer.s(), outer.s(), outer.s()]);
  expect(await gather(results, { timeout: hangTimeout })).toEqual([5, 5, 5]);
  expect(stage.most).toBe(1);
});

it("as many outer tasks as there are slots, three deep, all end", async () => {
  const stage = new Stage();
  const inner = stage.app.task("inner", (value: number) => stage.body(() => Promise.resolve(value + 1)));
  const middle = stage.app.task("middle", (value: number) => stage.body(async () => stage.wait((await inner.delay(value)).get())));
  const outer = stage.app.task("outer", (value: number) => stage.body(async () => stage.wait((await middle.delay(value)).get())));
  await stage.worker({ concurrency: 10 }).start();
  const results = await stage.app.publishAll(Array.from({ length: 40 }, (_, value) => outer.s(value)));
  expect(await gather(results, { timeout: hangTimeout })).toEqual(results.map((_, value) => value + 1));
  expect(stage.most).toBeLessThanOrEqual(10);
});

it("a chord and a group awaited inside a task end at -c 1", async () => {
  const stage = new Stage();
  const inner = stage.app.task("inner", (value: number) => value);
  const sum = stage.app.task("sum", (values: readonly number[]) => values.reduce((a, b) => a + b));
  const outer = stage.app.task("outer", async () => {
    const whole = await (await chord(group(inner.s(2), inner.s(3)), sum.s()).delay()).get();
    const parts = await (await inner.map([1, 1]).delay()).get();
    return [whole, ...parts];
  });
  await stage.worker({ concurrency: 1 }).start();
  expect(await (await outer.delay()).get({ timeout: hangTimeout })).toEqual([5, 1, 1]);
});

it("a failure of the subtask, and a timeout, reach the task that waits, and its slot with them", async () => {
  const stage = new Stage();
  const bad = stage.app.task("bad", () => Promise.reject(new TypeError("bad")));
  const outer = stage.app.task("outer", async () => {
    const failed = await (await bad.delay()).get().catch((error: unknown) => String(error));
    const late = await (await bad.applyAsync([], { countdown: "1h" })).get({ timeout: 20 }).catch((error: unknown) => String(error));
    return [failed, late];
  });
  await stage.worker({ concurrency: 1 }).start();
  const results = await stage.app.publishAll([outer.s(), outer.s()]);
  for (const values of await gather(results, { timeout: hangTimeout })) {
    expect(values).toEqual([
      expect.stringContaining("TypeError: bad"),
      expect.stringMatching(/had no result after 20 ms.*can still be read$/),
    ]);
  }
});

it("a result that is there already costs no slot", async () => {
  const stage = new Stage();
  const inner = stage.app.task("inner", (value: number) => value);
  let release: () => void = () => undefined;
  const long = stage.app.task("long", () => new Promise<void>((resolve) => (release = resolve)));
  const read = stage.app.task("read", async (id: string) => stage.app.asyncResult<number>(id).get());
  await stage.worker({ concurrency: 1 }).start();
  const done = await inner.delay(7);
  await done.get({ timeout: hangTimeout });
  const [reading, neighbour] = await stage.app.publishAll([read.s(done.id), long.s()]);
  // Had it lent its slot, the neighbour would have it, and would never give it back.
  expect(await reading!.get({ timeout: hangTimeout })).toBe(7);
  await expect.poll(() => neighbour!.status()).toBe("STARTED");
  release();
  await neighbour!.get({ timeout: hangTimeout });
});

it("a task that is revoked while it waits goes on at once, though all slots are held", async () => {
  const stage = new Stage();
  let release: () => void = () => undefined;
  let seen: unknown;
  const held = stage.app.task("held", () => new Promise<void>((resolve) => (release = resolve)));
  const outer = stage.app.task("outer", async function () {
    const result = await held.delay();
    await result.get({ signal: this.signal }).catch((error: unknown) => (seen = error));
  });
  await stage.worker({ concurrency: 1 }).start();
  const result = await outer.delay();
  await expect.poll(() => release.length).toBe(1);
  expect(await result.revoke()).toBe(true);
  await expect.poll(() => seen).toMatchObject({ code: "TASK_REVOKED" });
  release();
});

it("a worker that stops while slots are lent puts the tasks that wait back", async () => {
  const prefix = newId();
  const stage = new Stage(prefix);
  stage.app.task("outer", async () => (await stage.app.sendTask("elsewhere", [], { queue: "inner" })).get());
  const worker = stage.worker({ concurrency: 1, queues: ["default"] });
  await worker.start();
  const other = new Stage(prefix);
  const results = [await other.app.sendTask("outer"), await other.app.sendTask("outer")];
  await expect.poll(async () => (await other.app.engine.queues.counts(["inner"]))[0]!.waiting).toBe(2);
  expect(await worker.stop(AbortSignal.abort())).toBe(0);
  expect((await other.app.engine.queues.counts(["default"]))[0]).toMatchObject({ waiting: 2, active: 0 });
  expect(await results[0]!.ready()).toBe(false);
});

it("more tasks wait in one queue than slots are lent: what they wait for comes first, and all end", async () => {
  const stage = new Stage();
  const inner = stage.app.task("inner", (value: number) => stage.body(() => Promise.resolve(value)));
  const outer = stage.app.task("outer", (value: number) =>
    stage.body(async () => stage.wait((await inner.applyAsync([value], value % 3 === 0 ? { priority: 5 } : {})).get())),
  );
  const results = await stage.app.publishAll(Array.from({ length: 1100 }, (_, value) => outer.s(value)));
  await stage.worker({ concurrency: 20 }).start();
  expect(await gather(results, { timeout: "100s" })).toEqual(results.map((_, value) => value));
  expect(stage.most).toBeLessThanOrEqual(20);
  const warnings = stage.entries.filter(({ level }) => level === 40);
  expect(warnings).toMatchObject([
    { task: "outer", msg: expect.stringMatching(/moved to the front of its queue.*this\.replace/) as string },
  ]);
});
