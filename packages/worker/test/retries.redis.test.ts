import type { TaskContext } from "@bullrush/client";
import { expect, it } from "vitest";
import { hangTimeout } from "../../../integration/lib/hang-timeout.js";
import { until } from "../../../integration/lib/until.js";
import { counts, scene } from "./scene.js";

it("runs again what asks for it, under the same id, with the attempt in its context", async () => {
  const { app, start } = scene();
  const seen: Partial<TaskContext>[] = [];
  app.task("third", { maxRetries: 5 }, async function (word: string) {
    const { id, attempt, retries, args, eta } = this;
    seen.push({ id, attempt, retries, args, ...(eta && { eta }) });
    if (attempt < 3) return this.retry({ countdown: 20 });
    return `${word}, at attempt ${attempt}`;
  });
  const producer = await start();
  const result = await producer.sendTask("third", ["done"]);
  expect(await result.get({ timeout: hangTimeout })).toBe("done, at attempt 3");
  expect(await result.attempts()).toBe(3);
  expect(seen).toMatchObject([1, 2, 3].map((attempt) => ({ id: result.id, attempt, retries: attempt - 1, args: ["done"] })));
  expect(seen.map(({ eta }) => eta === undefined)).toEqual([true, false, false]);
});

it("keeps what waits for its next attempt in Redis, and says why and until when", async () => {
  const { app, entries, start } = scene();
  app.task("later", function () {
    return this.retry({ countdown: "1h", error: new RangeError("not yet") });
  });
  const producer = await start();
  const before = Date.now();
  const result = await producer.sendTask("later");
  await until(async () => expect(await counts(producer)).toMatchObject({ delayed: 1, active: 0, waiting: 0 }));
  expect(await result.status()).toBe("RETRY");
  expect([await result.ready(), await result.failed(), await result.result(), await result.attempts()]).toEqual([
    false,
    false,
    undefined,
    1,
  ]);
  const { failure, eta } = (await result.info()) as { failure: object; eta: Date };
  expect(failure).toMatchObject({ name: "RangeError", message: "not yet" });
  expect(eta.getTime() - before).toBeGreaterThanOrEqual(3_600_000);
  expect(eta.getTime() - before).toBeLessThan(3_610_000);
  const line = entries.find(({ msg }) => msg === "retried");
  expect(line).toMatchObject({ level: 40, task: "later", id: result.id, error: "RangeError: not yet", next: eta.toISOString() });
  expect(await producer.engine.queues.purge("default")).toBe(1);
});

it("keeps the record of what waits for longer than results are kept", async () => {
  const { app, start } = scene();
  app.task("later", { resultExpires: 30 }, function () {
    return this.retry({ countdown: "1h" });
  });
  const producer = await start();
  const result = await producer.sendTask("later");
  await until(async () => expect(await counts(producer)).toMatchObject({ delayed: 1 }));
  const stored = Date.now();
  await until(() => expect(Date.now()).toBeGreaterThan(stored + 60));
  expect(await result.status()).toBe("RETRY");
  await result.forget();
});

it("retries for the errors that the declaration names, and fails with the last one when it has done so often enough", async () => {
  const { app, entries, start } = scene();
  let runs = 0;
  const options = { autoRetryFor: [TypeError], retryBackoff: 5, retryJitter: false, maxRetries: 2 } as const;
  app.task("stubborn", options, () => {
    throw new TypeError(`failed ${++runs} times`);
  });
  app.task("broken", options, () => {
    throw new RangeError("for good");
  });
  const producer = await start();
  const stubborn = await producer.sendTask("stubborn");
  const cause = { name: "TypeError", message: "failed 3 times" };
  await expect(stubborn.get({ timeout: hangTimeout })).rejects.toMatchObject({ code: "TASK_FAILED", cause });
  expect(await stubborn.attempts()).toBe(3);
  const broken = await producer.sendTask("broken");
  await expect(broken.get({ timeout: hangTimeout })).rejects.toMatchObject({ cause: { name: "RangeError" } });
  expect(await broken.attempts()).toBe(1);
  const lines = entries.filter(({ id }) => id === stubborn.id).map(({ msg }) => msg);
  expect(lines).toEqual(["received", "retried", "received", "retried", "received", "failed"]);
});

it("lets the call say how often", async () => {
  const { app, start } = scene();
  app.task("ask", { maxRetries: 0 }, function () {
    return this.retry({ countdown: 0 });
  });
  const producer = await start();
  const result = await producer.sendTask("ask", [], { maxRetries: 1 });
  await expect(result.get({ timeout: hangTimeout })).rejects.toMatchObject({ cause: { code: "MAX_RETRIES_EXCEEDED" } });
  expect(await result.attempts()).toBe(2);
});

it("gives the next attempt the arguments as they came, though the task has changed them", async () => {
  const { app, start } = scene();
  app.task("eat", { autoRetryFor: Error, retryDelay: 0 }, function (items: number[]) {
    const eaten = items.splice(0);
    if (this.attempt === 1) throw new Error("choked");
    return eaten;
  });
  const producer = await start();
  expect(await (await producer.sendTask("eat", [[1, 2, 3]])).get({ timeout: hangTimeout })).toEqual([1, 2, 3]);
});

it("does not run again what has succeeded with a result that cannot be stored", async () => {
  const { app, start } = scene();
  let runs = 0;
  app.task("big", { autoRetryFor: Error, retryDelay: 0 }, () => {
    runs++;
    return 1n as unknown;
  });
  const producer = await start();
  await expect((await producer.sendTask("big")).get({ timeout: hangTimeout })).rejects.toMatchObject({ cause: { code: "ENCODE_ERROR" } });
  expect(runs).toBe(1);
});

it("retries a task that ignores its result, and one with a priority", async () => {
  const { app, start } = scene();
  const attempts: number[] = [];
  app.task("quiet", { ignoreResult: true }, function () {
    attempts.push(this.attempt);
    if (this.attempt === 1) return this.retry({ countdown: 10 });
  });
  app.task("urgent", function () {
    if (this.attempt === 1) return this.retry({ countdown: this.args[0] as number });
    return this.attempt;
  });
  const producer = await start();
  const quiet = await producer.sendTask("quiet", [], { ignoreResult: true });
  await until(() => expect(attempts).toEqual([1, 2]));
  const urgent = await Promise.all([0, 10].map((countdown) => producer.sendTask("urgent", [countdown], { priority: 5 })));
  expect(await Promise.all(urgent.map((result) => result.get({ timeout: hangTimeout })))).toEqual([2, 2]);
  await until(async () => expect(await counts(producer)).toMatchObject({ delayed: 0, active: 0, waiting: 0 }));
  expect(await quiet.status()).toBe("UNKNOWN");
});

it("revokes what asks for another attempt when the call has expired, without waiting for it", async () => {
  const { app, start } = scene();
  app.task("late", function () {
    return this.retry({ eta: this.expires! });
  });
  const producer = await start();
  const result = await producer.sendTask("late", [], { expires: "1h" });
  await expect(result.get({ timeout: hangTimeout })).rejects.toMatchObject({ code: "TASK_REVOKED" });
  expect(await result.attempts()).toBe(1);
});

it("fails what is rejected, and keeps its message; puts back what is to be requeued, as the same attempt", async () => {
  const { app, entries, start } = scene();
  app.task("reject", function () {
    return this.reject({ reason: "not ours" });
  });
  const attempts: number[] = [];
  const times: number[] = [];
  app.task("requeue", function () {
    attempts.push(this.attempt);
    times.push(Date.now());
    if (attempts.length < 3) return this.reject({ requeue: true });
    return "at last";
  });
  const producer = await start();
  const rejected = await producer.sendTask("reject");
  await expect(rejected.get({ timeout: hangTimeout })).rejects.toMatchObject({ cause: { code: "TASK_REJECTED" } });
  const requeued = await producer.sendTask("requeue");
  await until(() => expect(attempts).toHaveLength(1));
  await (await producer.sendTask("reject")).get({ timeout: hangTimeout, propagate: false });
  expect(attempts).toHaveLength(1);
  expect(await requeued.status()).toBe("PENDING");
  expect(await requeued.get({ timeout: hangTimeout })).toBe("at last");
  expect(attempts).toEqual([1, 1, 1]);
  expect(times[2]! - times[0]!).toBeGreaterThanOrEqual(2 * 990);
  expect(await requeued.attempts()).toBe(1);
  expect(entries.filter(({ id, msg }) => id === requeued.id && msg === "requeued")).toHaveLength(2);
});

it("logs an expected error at info, without a stack", async () => {
  const { app, entries, start } = scene();
  app.task("missing", { expectedErrors: [RangeError] }, () => {
    throw new RangeError("no such page");
  });
  const producer = await start();
  await expect((await producer.sendTask("missing")).get({ timeout: hangTimeout })).rejects.toMatchObject({ cause: { name: "RangeError" } });
  const line = entries.find(({ msg }) => msg === "failed");
  expect(line).toMatchObject({ level: 30, error: "RangeError: no such page" });
  expect(line).not.toHaveProperty("stack");
});

it("tries nothing again after more than 100 years, and goes on", async () => {
  const { app, start } = scene();
  app.task("late", function (countdown: number): void {
    this.retry({ countdown });
  });
  app.task("soon", () => "done");
  const producer = await start();
  for (const countdown of [1e16, 1e22]) {
    const refused = await producer.sendTask("late", [countdown]);
    const cause = expect.objectContaining({ code: "INVALID_OPTION", message: expect.stringContaining("up to 100 years") }) as Error;
    await expect(refused.get({ timeout: hangTimeout })).rejects.toThrow(expect.objectContaining({ cause }));
  }
  const longest = await producer.sendTask("late", [100 * 365 * 24 * 3_600_000]);
  await until(async () => expect(await longest.status()).toBe("RETRY"));
  expect(await (await producer.sendTask("soon")).get({ timeout: hangTimeout })).toBe("done");
});
