import type { TaskRecord } from "@bullrush/broker";
import { describe, expect, test } from "vitest";
import { hangTimeout } from "../../../../integration/lib/hang-timeout.js";
import type { AsyncResult, Progress, TaskOutcome } from "../../src/index.js";
import { failing, rejected, testApp } from "../support.js";
import { failure, sent, tell } from "./tasks.js";

/** All reports of `re`, and its outcome. */
async function follow(re: AsyncResult, options = {}, onEach: (report: Progress) => unknown = () => undefined) {
  const reports: Progress[] = [];
  const iteration = re.iterate({ timeout: hangTimeout, ...options });
  for (;;) {
    const step: IteratorResult<Progress, TaskOutcome<unknown>> = await iteration.next();
    if (step.done) return { reports, outcome: step.value };
    reports.push(step.value);
    await onEach(step.value);
  }
}

const at = (done: number): Partial<TaskRecord> => ({ state: "PROGRESS", meta: { done } });

describe("iterating over progress", () => {
  test("yields the reports, and returns the outcome", async () => {
    const { app, re } = await sent();
    await tell(app, re, at(1));
    const next = [at(2), { state: "STORING" }, at(2), { result: 7 }];
    const { reports, outcome } = await follow(re, {}, () => tell(app, re, next.shift() ?? {}));
    expect(reports).toEqual([
      { state: "PROGRESS", meta: { done: 1 } },
      { state: "PROGRESS", meta: { done: 2 } },
      { state: "STORING", meta: undefined },
      { state: "PROGRESS", meta: { done: 2 } },
    ]);
    expect(outcome).toEqual({ state: "SUCCESS", result: 7 });
  });

  test("own task: yields a report at once", async () => {
    const { app, re } = await sent();
    await tell(app, re, at(1));
    let at2 = 0;
    await follow(re, {}, async ({ meta }) => {
      if ((meta as { done: number }).done === 20) return tell(app, re, { result: 1 });
      at2++;
      return tell(app, re, at(at2 + 1));
    });
    expect(at2).toBe(19);
  });

  test("other process's task: polls", async () => {
    const { app, re } = await sent();
    const elsewhere = testApp({ prefix: app.options.prefix }).asyncResult(re.id);
    await tell(app, re, at(1));
    const { reports } = await follow(elsewhere, {}, () => tell(app, re, { result: 1 }));
    expect(reports).toEqual([{ state: "PROGRESS", meta: { done: 1 } }]);
  });

  test("report too long for a notification: read", async () => {
    const { app, re } = await sent();
    const long = "x".repeat(20_000);
    await tell(app, re, at(1));
    const next = [{ state: "PROGRESS", meta: long }, { result: 1 }];
    expect((await follow(re, {}, () => tell(app, re, next.shift() ?? {}))).reports.at(-1)).toEqual({ state: "PROGRESS", meta: long });
  });

  test("states of the machinery: not yielded", async () => {
    const { app, re } = await sent();
    for (const record of [{ state: "PENDING" }, { state: "RETRY", failure }, { state: "STARTED" }]) await tell(app, re, record);
    const followed = follow(re);
    await tell(app, re, { result: 1 });
    expect((await followed).reports).toEqual([]);
  });

  test("failure: returned, and thrown only with propagate", async () => {
    const { app, re } = await sent();
    await tell(app, re, { state: "FAILURE", failure });
    expect(await follow(re)).toEqual({ reports: [], outcome: { state: "FAILURE", failure } });
    expect(await rejected(follow(re, { propagate: true }))).toEqual(failing("TASK_FAILED"));
  });

  test("timeout, signal, unknown task: ends", async () => {
    const { app, re } = await sent();
    expect(await rejected(follow(re, { timeout: 50 }))).toEqual(failing("TASK_TIMEOUT"));
    const abort = new AbortController();
    const followed = rejected(follow(re, { signal: abort.signal }));
    abort.abort();
    expect(await followed).toBe(abort.signal.reason);
    await app.engine.queues.purge("default");
    expect(await rejected(follow(re))).toEqual(failing("UNKNOWN_TASK"));
  });

  test("slow reader: gets the latest hundred reports", async () => {
    const { app, re } = await sent();
    await tell(app, re, at(0));
    const iteration = re.iterate();
    await iteration.next();
    for (let done = 1; done <= 150; done++) await tell(app, re, at(done));
    await tell(app, re, { result: 1 });
    await re.get();
    const kept: unknown[] = [];
    for await (const { meta } of iteration) kept.push(meta);
    expect(kept).toEqual(Array.from({ length: 100 }, (_, index) => ({ done: 51 + index })));
  });
});
