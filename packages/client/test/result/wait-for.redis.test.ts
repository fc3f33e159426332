import { newId } from "@bullrush/broker";
import { describe, expect, test } from "vitest";
import { asCompleted, gather, GroupResult, waitFor, type AsyncResult } from "../../src/index.js";
import { failing, rejected, testApp } from "../support.js";
import { failure, several, sourceOf, tell } from "./tasks.js";

async function three() {
  const app = testApp();
  const results = (await several(app, 3)) as [AsyncResult, AsyncResult, AsyncResult];
  return { app, results };
}

describe("waitFor", () => {
  test("all: waits for every end, whichever way", async () => {
    const { app, results } = await three();
    const waited = waitFor(results);
    const [a, b, c] = results;
    await tell(app, c, { result: 1 });
    await tell(app, a, { state: "FAILURE", failure });
    await tell(app, b, { state: "REVOKED", reason: "x" });
    expect(await waited).toEqual({ done: results, pending: [] });
  });

  test("first: returns at the first end", async () => {
    const { app, results } = await three();
    const [a, b, c] = results;
    const waited = waitFor(results, { until: "first" });
    await tell(app, b, { result: 1 });
    expect(await waited).toEqual({ done: [b], pending: [a, c] });
  });

  test.each([{ state: "FAILURE", failure } as const, { state: "REVOKED", reason: "x" } as const])(
    "first-failure: $state counts",
    async (end) => {
      const { app, results } = await three();
      const [a, b, c] = results;
      const waited = waitFor(results, { until: "first-failure" });
      await tell(app, a, { result: 1 });
      await a.get();
      await tell(app, c, end);
      expect(await waited).toEqual({ done: [a, c], pending: [b] });
    },
  );

  test("first-failure without a failure: waits for all", async () => {
    const { app, results } = await three();
    for (const re of results) await tell(app, re, { result: 1 });
    expect((await waitFor(results, { until: "first-failure" })).pending).toEqual([]);
  });

  test("timeout: returns what there is", async () => {
    const { app, results } = await three();
    const [a, b, c] = results;
    await tell(app, b, { result: 1 });
    await b.get();
    expect(await waitFor(results, { timeout: "1s" })).toEqual({ done: [b], pending: [a, c] });
  });

  test("group: done when all its members are", async () => {
    const { app, results } = await three();
    const [a, b, c] = results;
    const group = new GroupResult(sourceOf(app), { id: newId(), results: [a, b] });
    await tell(app, a, { result: 1 });
    expect(await waitFor([group, c], { until: "first", timeout: 200 })).toEqual({ done: [], pending: [group, c] });
    await tell(app, b, { result: 1 });
    expect(await waitFor([group, c], { until: "first" })).toEqual({ done: [group], pending: [c] });
  });

  test("no results: done at once, and so is an empty group", async () => {
    const { app, results } = await three();
    expect(await waitFor([])).toEqual({ done: [], pending: [] });
    const empty = new GroupResult(sourceOf(app), { id: newId(), results: [] });
    expect(await waitFor([results[0], empty], { until: "first" })).toEqual({ done: [empty], pending: [results[0]] });
  });

  test("unknown task: counts as failed", async () => {
    const { app, results } = await three();
    const unknown = app.asyncResult(newId());
    expect(await waitFor([results[0], unknown], { until: "first-failure" })).toEqual({ done: [unknown], pending: [results[0]] });
  });

  test("signal: rejects with its reason; invalid options: refused", async () => {
    const { results } = await three();
    const abort = new AbortController();
    const waited = rejected(waitFor(results, { signal: abort.signal }));
    abort.abort();
    expect(await waited).toBe(abort.signal.reason);
    expect(await rejected(waitFor(results, { until: "last" as "first" }))).toEqual(failing("INVALID_OPTION"));
    for (const given of [5, null, undefined]) {
      expect(await rejected(waitFor(given as never))).toEqual(failing("INVALID_OPTION", { option: "what was given to waitFor()" }));
      expect(await rejected(gather(given as never))).toEqual(failing("INVALID_OPTION", { option: "what was given to gather()" }));
      const completed = asCompleted(given as never);
      expect(await rejected(completed.next())).toEqual(failing("INVALID_OPTION", { option: "what was given to asCompleted()" }));
    }
  });
});
