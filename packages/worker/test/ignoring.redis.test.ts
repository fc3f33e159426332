import { randomUUID } from "node:crypto";
import { chain, currentTask, UnknownTaskError, type TaskContext } from "@bullrush/client";
import { expect, it } from "vitest";
import { hangTimeout } from "../../../integration/lib/hang-timeout.js";
import { until } from "../../../integration/lib/until.js";
import { counts, scene } from "./scene.js";

it("a task that calls ignore() ends without a record, its message is done, and the log says so", async () => {
  const { app, entries, start } = scene();
  let runs = 0;
  app.task("quiet", function () {
    runs++;
    return this.ignore();
  });
  app.task("deep", { autoRetryFor: Error }, async () => {
    runs++;
    await Promise.resolve();
    return currentTask().ignore();
  });
  const producer = await start();
  for (const task of ["quiet", "deep"]) {
    const re = await producer.sendTask(task);
    await until(() => expect(entries).toContainEqual(expect.objectContaining({ level: 30, msg: "ignored", id: re.id, task })));
    await until(async () => expect(await counts(app)).toMatchObject({ active: 0, waiting: 0, delayed: 0, failed: 0 }));
    expect(await app.engine.results.read([re.id])).toEqual([undefined]);
    expect(await re.status()).toBe("UNKNOWN");
    const elsewhere = producer.asyncResult(re.id);
    await expect(elsewhere.get({ timeout: hangTimeout })).rejects.toBeInstanceOf(UnknownTaskError);
  }
  expect(runs).toBe(2);
});

it("what a task stored of itself before it calls ignore() stays", async () => {
  const { app, start } = scene();
  app.task("skipped", async function () {
    await this.updateState("SKIPPED", { why: "nothing to do" });
    return this.ignore();
  });
  const producer = await start();
  const re = await producer.sendTask("skipped");
  await until(async () => expect(await counts(app)).toMatchObject({ active: 0, waiting: 0, completed: 1 }));
  expect([await re.status(), await re.info()]).toEqual(["SKIPPED", { why: "nothing to do" }]);
});

it("a part of a canvas may not be ignored: it fails, and what is behind it does", async () => {
  const { app, start } = scene();
  app.task("quiet", function () {
    return this.ignore();
  });
  app.task("next", (x: unknown) => x);
  const producer = await start();
  const [quiet, next] = [producer.stub("quiet"), producer.stub("next")];
  const refused = { cause: { code: "IGNORE_UNSUPPORTED", message: expect.stringContaining('"quiet" called this.ignore()') as string } };
  const sent = await chain(quiet.s(), next.s()).delay();
  await expect(sent.get({ timeout: hangTimeout })).rejects.toMatchObject(refused);
  const linked = await producer.sendTask("quiet", [], { link: next.s() });
  await expect(linked.get({ timeout: hangTimeout })).rejects.toMatchObject(refused);
});

it("a context tells the priority and the time limits of its run: of the call, else of the task", async () => {
  const { app, start } = scene();
  const factsOf = ({ priority, timeLimit, softTimeLimit }: TaskContext) => [priority, timeLimit ?? null, softTimeLimit ?? null];
  app.task("plain", function () {
    return factsOf(this);
  });
  app.task("limited", { timeLimit: "1m", softTimeLimit: 5000, priority: 2 }, function () {
    return factsOf(this);
  });
  const producer = await start();
  const facts = async (...call: Parameters<typeof producer.sendTask>) => (await producer.sendTask(...call)).get({ timeout: hangTimeout });
  expect(await facts("plain")).toEqual([0, null, null]);
  expect(await facts("limited", [], { priority: 2 })).toEqual([2, 60_000, 5000]);
  expect(await facts("limited", [], { priority: 7, timeLimit: "2m" })).toEqual([7, 120_000, 5000]);
});

it.each([
  { what: "again after a retry", taskId: undefined, retries: 1 },
  { what: "under an id of its caller", taskId: randomUUID(), retries: 0 },
])("a task that is taken $what and calls ignore() leaves no record", async ({ taskId, retries }) => {
  const { app, entries, start } = scene();
  app.task("quiet", function () {
    if (this.retries < retries) return this.retry({ countdown: 1 });
    return this.ignore();
  });
  const producer = await start();
  const re = await producer.sendTask("quiet", [], { ...(taskId !== undefined && { taskId }) });
  await until(() => expect(entries).toContainEqual(expect.objectContaining({ msg: "ignored", id: re.id })));
  await until(async () => expect(await counts(app)).toMatchObject({ active: 0, waiting: 0, delayed: 0, completed: 1 }));
  expect(await app.engine.results.read([re.id])).toEqual([undefined]);
  expect(await re.status()).toBe("UNKNOWN");
});

it("what a task stored of itself when it was taken again, before it calls ignore(), stays", async () => {
  const { app, start } = scene();
  app.task("skipped", async function () {
    if (this.retries === 0) return this.retry({ countdown: 1 });
    await this.updateState("SKIPPED");
    return this.ignore();
  });
  const producer = await start();
  const re = await producer.sendTask("skipped");
  await until(async () => expect(await counts(app)).toMatchObject({ active: 0, waiting: 0, delayed: 0, completed: 1 }));
  expect(await re.status()).toBe("SKIPPED");
});
