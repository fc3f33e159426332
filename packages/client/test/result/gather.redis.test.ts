import { newId } from "@bullrush/broker";
import { describe, expect, test } from "vitest";
import { hangTimeout } from "../../../../integration/lib/hang-timeout.js";
import { asCompleted, gather, GroupResult, UnknownTaskError, waitFor, type AsyncResult } from "../../src/index.js";
import { failing, rejected, testApp } from "../support.js";
import { failure, several, sourceOf, tell } from "./tasks.js";

async function three() {
  const app = testApp();
  const [a, b, c] = (await several(app, 3)) as [AsyncResult, AsyncResult, AsyncResult];
  return { app, a, b, c };
}

describe("gather", () => {
  test("several handles: values in their order, whatever the order of the ends", async () => {
    const { app, a, b, c } = await three();
    const gathered = gather([a, b, c], { timeout: hangTimeout });
    for (const [index, re] of [c, a, b].entries()) await tell(app, re, { result: index });
    expect(await gathered).toEqual([1, 2, 0]);
  });

  test("groups: values as arrays", async () => {
    const { app, a, b, c } = await three();
    const source = sourceOf(app);
    const inner = new GroupResult(source, { id: newId(), results: [b] });
    const outer = new GroupResult(source, { id: newId(), results: [a, inner, new GroupResult(source, { id: newId(), results: [] })] });
    for (const [index, re] of [a, b, c].entries()) await tell(app, re, { result: index });
    expect(await gather([c, outer, a])).toEqual([2, [0, [1], []], 0]);
  });

  test("no handles: an empty array", async () => {
    expect(await gather([])).toEqual([]);
  });

  test("a failure: rejects at once, without waiting for the others", async () => {
    const { app, a, b, c } = await three();
    const gathered = rejected(gather([a, b, c]));
    await tell(app, c, { state: "FAILURE", failure, task: "tasks.t2" });
    expect(await gathered).toEqual(failing("TASK_FAILED", { id: c.id, task: "tasks.t2" }));
  });

  test("propagate false: returns how each has ended", async () => {
    const { app, a, b, c } = await three();
    const inner = new GroupResult(sourceOf(app), { id: newId(), results: [b, c] });
    await tell(app, a, { result: 1 });
    await tell(app, b, { result: 2 });
    await tell(app, c, { state: "REVOKED", reason: "no need" });
    expect(await gather([a, inner, b, c], { propagate: false })).toEqual([
      { state: "SUCCESS", result: 1 },
      { state: "REVOKED", reason: "no need" },
      { state: "SUCCESS", result: 2 },
      { state: "REVOKED", reason: "no need" },
    ]);
    expect(await gather([new GroupResult(sourceOf(app), { id: newId(), results: [a, b] })], { propagate: false })).toEqual([
      { state: "SUCCESS", result: [1, 2] },
    ]);
  });

  test("timeout: rejects, and names the first that has not ended", async () => {
    const { app, a, b, c } = await three();
    await tell(app, a, { result: 1 });
    await a.get();
    expect(await rejected(gather([a, b, c], { timeout: "1s" }))).toEqual(failing("TASK_TIMEOUT", { id: b.id, timeout: 1000 }));
  });

  test("signal: rejects with its reason", async () => {
    const { a, b } = await three();
    const abort = new AbortController();
    const gathered = rejected(gather([a, b], { signal: abort.signal }));
    abort.abort();
    expect(await gathered).toBe(abort.signal.reason);
    expect(await rejected(gather([a], { signal: abort.signal }))).toBe(abort.signal.reason);
  });

  test("unknown id: rejects, even with propagate false", async () => {
    const app = testApp();
    expect(await rejected(gather([app.asyncResult(newId())], { propagate: false }))).toBeInstanceOf(UnknownTaskError);
  });

  test("value that is no handle: refused, and named", async () => {
    const { a } = await three();
    expect(await rejected(gather([a, Promise.resolve(a) as unknown as AsyncResult]))).toEqual(
      failing("INVALID_OPTION", { option: "result 2 of gather()", got: "a Promise" }),
    );
    expect(await rejected(gather(a as unknown as []))).toEqual(failing("INVALID_OPTION"));
    expect(await rejected(gather([a], { patience: 1 } as object))).toEqual(failing("INVALID_OPTION"));
  });

  test("ignoreResult: does not wait", async () => {
    const app = testApp();
    expect(await gather([await app.sendTask("tasks.a", [], { ignoreResult: true })])).toEqual([undefined]);
  });
});

test("app closed: nothing is awaited, and no timer is left", async () => {
  const { app, a, b } = await three();
  await app.close();
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
  const before = timers();
  const options = { timeout: "1m" } as const;
  const closed = failing("APP_CLOSED");
  expect(await rejected(gather([a, b], options))).toEqual(closed);
  expect(await rejected(waitFor([a, b], options))).toEqual(closed);
  expect(await rejected(a.get(options))).toEqual(closed);
  expect(await rejected(asCompleted([a, b], options).next())).toEqual(closed);
  expect(await rejected(a.iterate(options).next())).toEqual(closed);
  expect(timers()).toBeLessThanOrEqual(before);
});

describe("many listeners", () => {
  test("one signal: no warning", async () => {
    const { a } = await three();
    const warnings: Error[] = [];
    const hear = (warning: Error) => void warnings.push(warning);
    process.on("warning", hear);
    const abort = new AbortController();
    const gathered = Array.from({ length: 30 }, () => rejected(gather([a], { signal: abort.signal })));
    abort.abort();
    await Promise.all(gathered);
    process.off("warning", hear);
    expect(warnings).toEqual([]);
  });
});
