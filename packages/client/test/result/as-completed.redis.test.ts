import { newId } from "@bullrush/broker";
import { describe, expect, inject, test } from "vitest";
import { hangTimeout } from "../../../../integration/lib/hang-timeout.js";
import { asCompleted, GroupResult, type AsyncResult } from "../../src/index.js";
import { callsOf } from "../redis.js";
import { failing, rejected, testApp } from "../support.js";
import { failure, several, sourceOf, tell } from "./tasks.js";

async function collect<T>(iteration: AsyncIterable<T>, onEach: (one: T) => unknown = () => undefined): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const one of iteration) {
    all.push(one);
    await onEach(one);
  }
  return all;
}

/** The timers of this process, those of vitest included. */
const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

describe("asCompleted", () => {
  test("several handles: in the order in which they end, whichever way", async () => {
    const app = testApp();
    const results = await several(app, 3);
    const [a, b, c] = results as [AsyncResult, AsyncResult, AsyncResult];
    await tell(app, c, { result: 3 });
    const next = [
      () => tell(app, a, { state: "FAILURE", failure }),
      () => tell(app, b, { state: "REVOKED", reason: "x" }),
      () => undefined,
    ];
    const given = await collect(asCompleted(results, { timeout: hangTimeout }), () => next.shift()?.());
    expect(given).toEqual([c, a, b]);
    expect(given[0]).toBe(c);
  });

  test("groups: the handles of their members, one by one", async () => {
    const app = testApp();
    const [a, b, c] = (await several(app, 3)) as [AsyncResult, AsyncResult, AsyncResult];
    const source = sourceOf(app);
    const group = new GroupResult(source, { id: newId(), results: [a, new GroupResult(source, { id: newId(), results: [b, c] })] });
    await tell(app, b, { result: 1 });
    const next = [() => tell(app, a, { result: 2 }), () => tell(app, c, { result: 3 }), () => undefined];
    expect(await collect(asCompleted([group]), () => next.shift()?.())).toEqual([b, a, c]);
    expect((await collect(group.asCompleted())).length).toBe(3);
  });

  test("current handle: has its value without a further look", async () => {
    const app = testApp();
    const results = await several(app, 50);
    for (const [index, re] of results.entries()) await tell(app, re, { result: index });
    const values: unknown[] = [];
    const before = await callsOf(inject("redisUrl"), "mget");
    for await (const re of asCompleted(results)) values.push(await re.get());
    expect(new Set(values).size).toBe(50);
    // Other tests look at the same time.
    expect((await callsOf(inject("redisUrl"), "mget")) - before).toBeLessThan(50);
    expect(await results[0]?.get()).toBe(0);
  });

  test("timeout: throws after those that have ended", async () => {
    const app = testApp();
    const [a, b] = (await several(app, 2)) as [AsyncResult, AsyncResult];
    await tell(app, a, { result: 1 });
    const given: AsyncResult[] = [];
    const error = await rejected(collect(asCompleted([a, b], { timeout: 300 }), (re) => given.push(re)));
    expect(error).toEqual(failing("TASK_TIMEOUT", { id: b.id }));
    expect(given).toEqual([a]);
  });

  test("signal: throws its reason", async () => {
    const [a] = await several(testApp(), 1);
    const abort = new AbortController();
    const iteration = rejected(collect(asCompleted([a as AsyncResult], { signal: abort.signal })));
    abort.abort();
    expect(await iteration).toBe(abort.signal.reason);
  });

  test("loop left early: nothing is left behind", async () => {
    const app = testApp();
    const results = await several(app, 10);
    await tell(app, results[3] as AsyncResult, { result: 1 });
    // The subscription, which stays, has a timer of its own.
    await results[3]?.get();
    const before = timers();
    for await (const re of asCompleted(results, { timeout: "1m" })) {
      expect(re).toBe(results[3]);
      break;
    }
    await expect.poll(timers).toBeLessThanOrEqual(before);
  });

  test("no handles: ends at once", async () => {
    expect(await collect(asCompleted([]))).toEqual([]);
  });
});
