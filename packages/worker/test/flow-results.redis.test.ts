import { newId } from "@bullrush/broker";
import { asCompleted, chain, chord, createApp, gather, group, GroupResult, type App } from "@bullrush/client";
import { pino } from "pino";
import { beforeEach, expect, inject, it, onTestFinished } from "vitest";
import { hangTimeout } from "../../../integration/lib/hang-timeout.js";
import { createWorker, type Worker } from "../src/index.js";

interface Stage {
  readonly app: App;
  readonly worker: Worker;
  readonly ran: readonly unknown[];
  readonly release: () => void;
}

/** An app with a worker that is not started, what its tasks were called with, and what ends the one that waits. */
function stage() {
  const app = createApp({ broker: inject("redisUrl"), prefix: newId() });
  const worker = createWorker(app, { log: pino({ level: "silent" }) });
  onTestFinished(async () => {
    await worker.stop(AbortSignal.abort());
    await app.close();
  });
  const ran: unknown[] = [];
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const tasks = {
    add: app.task("add", (x: number, y: number) => {
      ran.push([x, y]);
      return x + y;
    }),
    sum: app.task("sum", (numbers: readonly number[]) => numbers.reduce((sum, number) => sum + number, 0)),
    wait: app.task("wait", async function (x: number) {
      ran.push("waits");
      await Promise.race([
        released,
        new Promise((_, reject) => this.signal.addEventListener("abort", () => reject(this.signal.reason as Error))),
      ]);
      return x;
    }),
    fail: app.task("fail", (_: number): number => {
      throw new RangeError("no");
    }),
  };
  return { app, worker, ran, release, ...tasks } satisfies Stage & typeof tasks;
}

let on: ReturnType<typeof stage>;

beforeEach(() => {
  on = stage();
});

it("the steps before one are its parents", async () => {
  const { app, worker, add } = on;
  const re = await chain(add.s(1, 2), add.s(10), add.s(100)).delay();
  expect(await re.status()).toBe("PENDING");
  await worker.start();
  expect(await re.get({ timeout: hangTimeout })).toBe(113);
  expect(await re.parent?.get()).toBe(13);
  expect(await re.parent?.parent?.get()).toBe(3);
  expect(re.parent?.parent?.parent).toBeUndefined();
  expect(await app.asyncResult(re.id).get()).toBe(113);
});

it("a group gives its values, is kept, and restored elsewhere", async () => {
  const { app, worker, add } = on;
  const re = await group([add.s(1, 1), add.s(2, 2), add.s(3, 3)]).delay();
  expect(re).toBeInstanceOf(GroupResult);
  await re.save();
  await worker.start();
  expect(await re.get({ timeout: hangTimeout })).toEqual([2, 4, 6]);
  expect([await re.completedCount(), await re.successful()]).toEqual([3, true]);
  const elsewhere = createApp({ broker: inject("redisUrl"), prefix: app.options.prefix });
  onTestFinished(() => elsewhere.close());
  expect(await (await elsewhere.groupResult(re.id))?.get({ timeout: hangTimeout })).toEqual([2, 4, 6]);
  const ended: unknown[] = [];
  for await (const member of asCompleted([re])) ended.push(await member.get());
  expect(new Set(ended)).toEqual(new Set([2, 4, 6]));
  const both = await gather([re, await add.delay(1, 0)]);
  expect(both).toEqual([[2, 4, 6], 1]);
});

it("what follows upon a failure names what has failed", async () => {
  const { worker, add, fail } = on;
  const re = await chain(fail.s(1), add.s(2)).delay();
  await worker.start();
  await expect(re.get({ timeout: hangTimeout })).rejects.toMatchObject({ details: { task: "fail", id: re.parent?.id } });
  expect(await re.details()).toMatchObject({ name: "add", state: "FAILURE", origin: { task: "fail", id: re.parent?.id } });
});

it("all behind a step that fails before a group fail of that, whatever the group consists of and even if members may fail", async () => {
  const { worker, add, sum, fail, ran } = on;
  await worker.start();
  const headers = [
    group(add.s(1)),
    group(add.s(1), add.s(2), add.s(3), group(add.s(4)), group()),
    group(chain(add.s(1), add.s(1)), chord([add.s(1), group()], add.si(1, 1), { onFailure: "partial" })),
    group(group(), group(group())),
    group(),
  ];
  for (const onFailure of ["fail", "partial"] as const) {
    for (const header of headers) {
      const re = await chain(fail.s(1), chord(header, sum.si([1]), { onFailure }), add.s(1)).delay();
      await expect(re.get({ timeout: hangTimeout })).rejects.toMatchObject({ details: { task: "fail" }, failure: { name: "RangeError" } });
    }
  }
  expect(ran).toEqual([]);
});

it("a chain that ends in a group of none ends as the step before it does", async () => {
  const { worker, add, fail } = on;
  const [well, badly] = [await chain(add.s(1, 2), group()).delay(), await chain(fail.s(1), add.s(1), group(group())).delay()];
  expect([await well.ready(), await badly.ready()]).toEqual([false, false]);
  await worker.start();
  expect(await well.get({ timeout: hangTimeout })).toEqual([]);
  await expect(badly.get({ timeout: hangTimeout })).rejects.toMatchObject({ details: { task: "fail" } });
  expect([await well.successful(), await badly.successful(), await badly.failed()]).toEqual([true, false, true]);
});

it("a large group behind a step gets its value, each member", async () => {
  const { worker, add, sum } = on;
  await worker.start();
  const members = Array.from({ length: 300 }, (_, index) => add.s(index));
  expect(await (await chain(add.s(1, 2), group(members), sum.s()).delay()).get({ timeout: hangTimeout })).toBe(300 * 3 + (300 * 299) / 2);
});

it("a chain that is revoked ends, whatever step it is at", async () => {
  const { worker, wait, add, ran } = on;
  await worker.start();
  const re = await chain(wait.s(1), add.s(2), add.s(3)).delay();
  await expect.poll(() => ran).toEqual(["waits"]);
  expect(await re.revoke({ reason: "no need" })).toBe(true);
  for (const handle of [re, re.parent, re.parent?.parent]) {
    await expect(handle?.get({ timeout: hangTimeout })).rejects.toMatchObject({ code: "TASK_REVOKED", details: { reason: "no need" } });
  }
  expect(ran).toEqual(["waits"]);
});

it("a step that is revoked before its turn does not run, and those before it do", async () => {
  const { app, worker, wait, add, ran, release } = on;
  await worker.start();
  const re = await chain(wait.s(1), add.s(2), add.s(3)).delay();
  const { parent } = re;
  await expect.poll(() => ran).toEqual(["waits"]);
  expect(await app.revoke(parent?.id ?? "")).toBe(true);
  release();
  expect(await parent?.parent?.get({ timeout: hangTimeout })).toBe(1);
  await expect(re.get({ timeout: hangTimeout })).rejects.toMatchObject({ code: "TASK_REVOKED", details: { task: "add", id: parent?.id } });
  expect(ran).toEqual(["waits"]);
});

it("a group that is revoked takes along what has not ended", async () => {
  const { worker, wait, add, ran } = on;
  await worker.start();
  const re = await group([add.s(1, 2), wait.s(1), chain(wait.s(2), add.s(5))]).delay();
  const [first] = re.results;
  expect(await first?.get({ timeout: hangTimeout })).toBe(3);
  await expect.poll(() => ran.length).toBe(3);
  expect(await re.revoke()).toEqual([false, true, true]);
  expect(await re.get({ propagate: false, timeout: hangTimeout })).toMatchObject([
    { state: "SUCCESS" },
    { state: "REVOKED" },
    { state: "REVOKED" },
  ]);
});

it("a chord's handle has the group before it", async () => {
  const { worker, add, sum } = on;
  await worker.start();
  const re = await chord([add.s(1, 2), add.s(3, 4)], sum.s()).delay();
  expect(await re.get({ timeout: hangTimeout })).toBe(10);
  expect(await re.parent?.get()).toEqual([3, 7]);
});
