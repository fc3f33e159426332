import { chain } from "@bullrush/client";
import { expect, test } from "vitest";
import { failed, loopStage, succeeded } from "./loop-stage.js";

test("more messages than slots: as many run as there are slots, and each that ends makes room for the next", async () => {
  const { loop, running, guarded, send, until } = await loopStage({ concurrency: 2 });
  for (const argument of [1, 2, 3]) await send(argument);
  await until(() => running.size === 2);
  expect(loop.state()).toMatchObject({ running: 2, free: 0 });
  expect(guarded.size).toBe(2);
  running.get(1)!.end(succeeded);
  await until(() => running.has(3));
  for (const { end } of running.values()) end(succeeded);
  await until(() => loop.table.size === 0);
  expect(loop.state()).toMatchObject({ running: 0, unsettled: 0, free: 2, room: 2 });
  expect(guarded.size).toBe(0);
});

test("a task that is killed because it was revoked: its slot is free at once, and its late end counts for nothing", async () => {
  const { app, loop, running, told, send, until } = await loopStage({ concurrency: 1 });
  const id = await send("killed");
  await until(() => running.has("killed"));
  const { execution, end } = running.get("killed")!;
  await send("next");
  loop.runs.revoked(execution.delivery, { reason: "no more", terminate: true });
  expect(execution.stop.requested).toBe(true);
  await until(() => running.has("next"));
  end(succeeded);
  running.get("next")!.end(succeeded);
  await until(() => loop.table.size === 0);
  expect(await app.asyncResult(id).status()).toBe("REVOKED");
  expect(told).toEqual([
    ["killed", "revoked"],
    ["next", "succeeded"],
  ]);
});

test("a task that is asked to end because it was revoked: its slot is free when its function ends", async () => {
  const { app, loop, running, told, send, until } = await loopStage({ concurrency: 1 });
  const id = await send("asked");
  await until(() => running.has("asked"));
  const { execution, end } = running.get("asked")!;
  loop.runs.revoked(execution.delivery, { reason: "no more", terminate: false });
  expect(loop.state()).toMatchObject({ running: 1, free: 0 });
  end(failed);
  await until(() => loop.table.size === 0);
  expect(await app.asyncResult(id).status()).toBe("REVOKED");
  expect(told).toEqual([["asked", "revoked"]]);
});

test("a task whose lease is lost and that fails: nothing is settled, and no hook is told", async () => {
  const { loop, running, told, guarded, send, until } = await loopStage({ concurrency: 1 });
  await send("lost");
  await until(() => running.has("lost"));
  const { execution, end } = running.get("lost")!;
  expect(loop.table.get(execution.delivery)?.isKept).toBe(true);
  loop.runs.lost(execution.delivery);
  expect(loop.table.get(execution.delivery)?.isKept).toBe(false);
  expect(execution.stop.requested).toBe(true);
  end(failed);
  await until(() => loop.table.size === 0);
  expect(told).toEqual([]);
  expect(guarded.size).toBe(0);
});

test("a task whose lease is lost and that succeeds first: its success counts, and a line and the hooks say so", async () => {
  const { app, loop, running, told, lines, send, until } = await loopStage({ concurrency: 1 });
  const id = await send("late");
  await until(() => running.has("late"));
  const { execution, end } = running.get("late")!;
  loop.runs.lost(execution.delivery);
  end(succeeded);
  await until(() => loop.table.size === 0);
  expect(await app.asyncResult(id).status()).toBe("SUCCESS");
  expect(told).toEqual([["late", "succeeded"]]);
  expect(lines).toMatchObject([{ id, msg: "succeeded, though its lease was lost" }]);
});

test("a worker that stops while a task runs: the task is asked to end, its message goes back, and its late end counts for nothing", async () => {
  const { app, loop, running, told, send, until } = await loopStage({ concurrency: 1 });
  await send("stopped");
  await until(() => running.has("stopped"));
  const { execution, end } = running.get("stopped")!;
  expect(await loop.stop(AbortSignal.abort(), new AbortController().signal)).toBe(0);
  expect(execution.stop.requested).toBe(true);
  end(succeeded);
  expect(await app.engine.queues.counts(["default"])).toMatchObject([{ waiting: 1, active: 0 }]);
  expect(told).toEqual([["stopped", "requeued"]]);
});

test("a task that must not run twice and still runs when the worker stops: it fails for good, and the hooks are told", async () => {
  const { app, loop, running, told, send, until } = await loopStage({ concurrency: 1 });
  const id = await send("once", "once");
  await until(() => running.has("once"));
  expect(await loop.stop(AbortSignal.abort(), new AbortController().signal)).toBe(0);
  running.get("once")!.end(succeeded);
  expect(told).toEqual([["once", "failed"]]);
  expect(await app.asyncResult(id).details()).toMatchObject({ state: "FAILURE", failure: { code: "WORKER_LOST" } });
});

test("a message that has crashed too often: it fails for good without a run, and the hooks are told", async () => {
  const { loop, running, told, send, until } = await loopStage({ concurrency: 2 });
  await send("first");
  await until(() => running.has("first"));
  const { execution, end } = running.get("first")!;
  end(succeeded);
  await until(() => loop.table.size === 0);
  const [poisoned] = loop.table.take([{ ...execution.delivery, token: "other", crashes: 3 }]);
  loop.runs.begin(poisoned!);
  await until(() => loop.table.size === 0);
  expect(told).toEqual([
    ["first", "succeeded"],
    ["first", "failed"],
  ]);
  expect(running.size).toBe(0);
});

test("a worker that stops and has no time left to settle: it says how many deliveries are left", async () => {
  const { loop, running, send, until } = await loopStage({ concurrency: 2 });
  for (const argument of [1, 2]) await send(argument);
  await until(() => running.size === 2);
  expect(await loop.stop(AbortSignal.abort(), AbortSignal.abort())).toBe(2);
});

test("an exception of one of two tasks that nobody caught: its run is a crash, and the other goes back uncounted", async () => {
  const { app, loop, running, lines, send, until } = await loopStage({ concurrency: 2 });
  const [culprit, other] = [await send("culprit"), await send("other")];
  await until(() => running.size === 2);
  loop.takeNoMore();
  expect(loop.runs.crashed({ id: culprit, queue: "default" }, "thrown")).toBe(1);
  await until(() => loop.table.size === 0);
  expect(lines.map(({ id, msg }) => [id, msg])).toEqual([
    [culprit, "crashed"],
    [other, "requeued"],
  ]);
  expect(await app.engine.queues.counts(["default"])).toMatchObject([{ waiting: 2, active: 0 }]);
});

test("a task that may crash once more and is revoked while it waits for the others: it does not run, and the hooks are told", async () => {
  const { loop, running, told, send, until } = await loopStage({ concurrency: 2 });
  await send("harmless");
  await until(() => running.has("harmless"));
  const { delivery } = running.get("harmless")!.execution;
  const [risky] = loop.table.take([{ ...delivery, token: "other", crashes: 2 }]);
  loop.runs.begin(risky!);
  expect(loop.state()).toMatchObject({ taking: false, running: 1, waiting: 1, free: 0 });
  loop.runs.revoked(risky!.delivery, { reason: "no more", terminate: false });
  expect(risky!.state).not.toBe("waiting");
  expect(told).toEqual([["harmless", "revoked"]]);
  expect(loop.state()).toMatchObject({ taking: true, running: 1, waiting: 0, free: 1 });
});

test("a message of a flow that nobody can vouch for: it goes back into its queue for a second, and then runs", async () => {
  let isKnown = false;
  const { app, clock, loop, running, until } = await loopStage({
    concurrency: 1,
    vouched: async (deliveries) => (isKnown ? deliveries : Promise.reject(new Error("not now"))),
  });
  await chain(app.signature("work", ["first"]), app.signature("work", ["second"])).delay();
  await until(async () => (await app.engine.queues.counts(["default"]))[0]?.delayed === 1);
  await until(() => loop.table.size === 0);
  isKnown = true;
  clock.advance(1000);
  await until(() => running.has("first"));
});
