import { chain, chord, group, type App } from "@bullrush/client";
import { expect, it } from "vitest";
import { hangTimeout } from "../../../integration/lib/hang-timeout.js";
import { until } from "../../../integration/lib/until.js";
import { counts, scene } from "./scene.js";

const bankDown = { name: "RangeError", message: "bank down" };
const lastFailure = expect.objectContaining(bankDown) as object;

/** Declares `pay`, which fails, to be tried again in an hour. */
function declarePay(app: App): void {
  app.task("pay", { autoRetryFor: Error, retryDelay: "1h" }, () => {
    throw new RangeError("bank down");
  });
}

it("ends at once as expired, and says why, what would be tried again only after its time", async () => {
  const { app, entries, start } = scene();
  declarePay(app);
  const producer = await start();
  const result = await producer.sendTask("pay", [], { expires: "5m" });
  await expect(result.get({ timeout: hangTimeout })).rejects.toMatchObject({
    code: "TASK_REVOKED",
    details: { reason: "expired" },
    cause: bankDown,
    failure: bankDown,
  });
  expect(await result.details()).toMatchObject({ state: "REVOKED", reason: "expired", failure: bankDown, attempt: 1 });
  expect(await result.get({ propagate: false })).toEqual({ state: "REVOKED", reason: "expired", failure: lastFailure });
  await until(async () => expect(await counts(producer)).toMatchObject({ delayed: 0, active: 0, waiting: 0, failed: 1 }));
  expect(entries.filter(({ id, level }) => id === result.id && level === 40)).toMatchObject([
    { msg: "revoked", reason: "expired", error: "RangeError: bank down" },
  ]);
});

it("ends at once what asks for a retry at the very time at which it expires, and waits with what comes before", async () => {
  const { app, start } = scene();
  app.task("ask", function (earlier: number) {
    return this.retry({ eta: new Date(this.expires!.getTime() - earlier), error: new RangeError("bank down") });
  });
  const producer = await start();
  const at = await producer.sendTask("ask", [0], { expires: "1h" });
  await expect(at.get({ timeout: hangTimeout })).rejects.toMatchObject({ code: "TASK_REVOKED", cause: bankDown });
  const before = await producer.sendTask("ask", [1], { expires: "1h" });
  await until(async () => expect(await before.status()).toBe("RETRY"));
});

it("leaves nothing behind of one that stores no result", async () => {
  const { app, entries, start } = scene();
  declarePay(app);
  const producer = await start();
  const { id } = await producer.sendTask("pay", [], { expires: "5m", ignoreResult: true });
  await until(async () => expect(await counts(producer)).toMatchObject({ delayed: 0, active: 0, waiting: 0, failed: 1 }));
  expect(entries.filter((entry) => entry["id"] === id).map(({ msg }) => msg)).toEqual(["received", "revoked"]);
});

it("tells those who wait for a canvas why its member could not be tried again", async () => {
  const { app, start } = scene();
  declarePay(app);
  const told: unknown[] = [];
  app.task("next", () => "never");
  app.task("hear", (mishap: unknown) => void told.push(mishap));
  const producer = await start();
  const [pay, next, hear] = [producer.stub("pay"), producer.stub("next"), producer.stub("hear")];
  const late = pay.s().set({ expires: "5m" });
  const chained = await chain(late.onError(hear.s()), next.si()).delay();
  await expect(chained.get({ timeout: hangTimeout })).rejects.toMatchObject({ code: "TASK_REVOKED", cause: bankDown });
  const joined = await chord(group(late, late), next.s()).delay();
  await expect(joined.get({ timeout: hangTimeout })).rejects.toMatchObject({
    cause: { code: "CHORD_FAILED", message: expect.stringContaining("was revoked: expired") as string, cause: bankDown },
  });
  await until(() => expect(told).toMatchObject([{ state: "REVOKED", reason: "expired", failure: bankDown }]));
});

it("keeps why the last attempt failed when the next is revoked, before it begins or while it runs", async () => {
  const { app, start } = scene();
  declarePay(app);
  const begun: string[] = [];
  app.task("hold", async function () {
    if (this.attempt === 1) return this.retry({ countdown: 0, error: new RangeError("bank down") });
    begun.push(this.id);
    await this.progress({ current: 1 });
    return new Promise((resolve) => this.signal.addEventListener("abort", resolve));
  });
  const producer = await start();
  const waiting = await producer.sendTask("pay");
  await until(async () => expect(await waiting.status()).toBe("RETRY"));
  expect(await waiting.revoke()).toBe(true);
  const running = await producer.sendTask("hold");
  await until(async () => expect(await running.status()).toBe("PROGRESS"));
  expect(await running.revoke()).toBe(true);
  for (const result of [waiting, running]) {
    await expect(result.get({ timeout: hangTimeout })).rejects.toMatchObject({ code: "TASK_REVOKED", cause: bankDown });
    expect((await result.details()).failure).toMatchObject(bankDown);
  }
  expect(begun).toEqual([running.id]);
});

it("has it as the cause of what ends an attempt from outside, also if nobody was told of a retry", async () => {
  const { app, start } = scene();
  app.task("slow", { timeLimit: 50, autoRetryFor: RangeError, retryDelay: 0 }, function () {
    if (this.attempt === 1) throw new RangeError("bank down", { cause: deep(4) });
    return new Promise(() => undefined);
  });
  app.task("soft", { softTimeLimit: 50, autoRetryFor: RangeError, retryDelay: 0 }, async function () {
    if (this.attempt === 1) throw new RangeError("bank down");
    await new Promise((resolve) => this.signal.addEventListener("abort", resolve));
    this.signal.throwIfAborted();
  });
  const producer = await start();
  const slow = await producer.sendTask("slow");
  await expect(slow.get({ timeout: hangTimeout })).rejects.toMatchObject({ cause: { code: "TIME_LIMIT_EXCEEDED", cause: bankDown } });
  expect(await slow.details()).toMatchObject({
    attempt: 2,
    failure: { code: "TIME_LIMIT_EXCEEDED", cause: { ...bankDown, cause: { message: "4" } } },
  });
  const soft = await producer.sendTask("soft");
  await expect(soft.get({ timeout: hangTimeout })).rejects.toMatchObject({ cause: { code: "SOFT_TIME_LIMIT_EXCEEDED", cause: bankDown } });
});

/** An error that has so many levels of causes, itself included. Its stacks are as long as those of a program deep in the file system. */
function deep(levels: number): Error {
  const error = new Error(String(levels), levels > 1 ? { cause: deep(levels - 1) } : undefined);
  error.stack = `Error: ${levels}\n    at deep (${"/far".repeat(500)})`;
  return error;
}

it("takes none along into an attempt that fails of itself", async () => {
  const { app, start } = scene();
  app.task("twice", { autoRetryFor: RangeError, retryDelay: 0 }, function () {
    throw this.attempt === 1 ? new RangeError("bank down") : new TypeError("no account");
  });
  const producer = await start();
  const result = await producer.sendTask("twice");
  await expect(result.get({ timeout: hangTimeout })).rejects.toMatchObject({ cause: { name: "TypeError", message: "no account" } });
  expect((await result.details()).failure).not.toHaveProperty("cause");
});
