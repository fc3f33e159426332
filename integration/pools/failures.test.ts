import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { chord, createApp, TaskFailedError, type RemoteError } from "@bullrush/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hangTimeout } from "../lib/hang-timeout.js";
import { startWorker } from "../lib/task-worker.js";
import { redisUrl } from "../lib/redis-url.js";

const fixture = fileURLToPath(new URL("fixtures/failures.ts", import.meta.url));

/** A producer and a worker of the fixture, on a prefix of their own. */
function open(...args: readonly string[]) {
  const prefix = `failures-${randomUUID()}`;
  const app = createApp({ broker: redisUrl(), prefix, queues: ["one"], defaultQueue: "one" });
  const worker = startWorker({ app: fixture, args: ["-c", "1", ...args], env: { FIXTURE_PREFIX: prefix } });
  /** The worker's error, as this process gets it. */
  const errorOf = async (kind: string, task = "fail") => {
    const result = await app.sendTask(`failures.${task}`, [kind]);
    const error: unknown = await result.get({ timeout: hangTimeout }).catch((caught: unknown) => caught);
    if (!(error instanceof TaskFailedError)) throw new TypeError(`${kind} came to something else`, { cause: error });
    return { id: result.id, error, cause: error.cause as RemoteError };
  };
  return {
    app,
    worker,
    errorOf,
    [Symbol.asyncDispose]: async () => void (await Promise.all([app.close(), worker.kill()])),
  };
}

const parts = [
  { name: "Error", message: "a", code: "EA" },
  { name: "Error", message: "b", code: 7 },
];

describe.each(["inline", "threads", "processes"])("what a task throws, in the pool %s", (pool) => {
  // One worker for all: what one test does is nothing to the others.
  let stage: ReturnType<typeof open>;
  beforeAll(() => void (stage = open("-P", pool)));
  afterAll(() => stage[Symbol.asyncDispose]());

  it("says the same in another process, and in the log", async () => {
    const { errorOf, worker } = stage;

    const aggregate = await errorOf("aggregate");
    expect(aggregate.cause).toMatchObject({ name: "AggregateError", message: "all failed", errors: parts });
    expect(aggregate.error.failure.errors).toEqual(parts);
    expect(aggregate.cause.stack).toMatch(/fixtures\/failures\.ts/);
    expect(aggregate.cause.stack).not.toMatch(/node:internal|execution\/invoke/);
    const aggregateLine = await worker.waitForEntry({ msg: "failed", id: aggregate.id });
    expect(aggregateLine).toMatchObject({ error: "AggregateError: all failed: a; b" });
    expect(aggregateLine["stack"]).toBe(aggregate.cause.stack);

    const fetched = await errorOf("fetch");
    const line = "TypeError: fetch failed: connect ECONNREFUSED 127.0.0.1:1";
    expect(await worker.waitForEntry({ msg: "failed", id: fetched.id })).toMatchObject({ error: line });
    expect(fetched.error.message).toContain(line);
    expect(fetched.cause.cause).toMatchObject({ code: "ECONNREFUSED" });

    const fielded = await errorOf("fields");
    expect(fielded.cause.code).toBe(503);
    expect(fielded.cause.fields).toEqual({ status: 503, response: { id: "r1" }, request: { headers: { authorization: "***" } } });

    let { cause: last } = await errorOf("deep");
    while (last.cause !== undefined) last = last.cause as RemoteError;
    expect(last).toMatchObject({ name: "Note", message: "6 more causes were left out, the innermost of which is RangeError: root" });
  });

  it.each([
    ["object", { message: "no { status: 503 }", code: "E_NO" }],
    ["string", { message: "text" }],
    ["null", { message: "null" }],
    ["undefined", { message: "undefined" }],
    ["symbol", { message: "Symbol(no)" }],
    ["function", { message: "[Function: bomb]" }],
    ["proxy", { message: "[Proxy]" }],
    ["plainProxy", { message: "[Proxy]" }],
  ])("is settled and shown as what it is: %s", async (kind, shown) => {
    for (const task of ["fail", "giveUp"]) {
      const { cause } = await stage.errorOf(kind, kind === "undefined" ? "fail" : task);
      expect(cause).toMatchObject({ name: "NonError", ...shown });
    }
    expect((await stage.errorOf("getters")).cause).toMatchObject({ name: "Error", message: "(its message cannot be read)" });
  });

  it("a retry keeps it, by this.retry() or by autoRetryFor", async () => {
    for (const task of ["failTwice", "askAgain"]) {
      const result = await stage.app.sendTask(`failures.${task}`, ["aggregate"]);
      await expect.poll(() => result.status()).toBe("RETRY");
      expect((await result.details()).failure).toMatchObject({ name: "AggregateError", errors: parts });
      await result.revoke();
      const error: unknown = await result.get({ timeout: hangTimeout }).catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: "TASK_REVOKED", cause: { name: "AggregateError", errors: parts } });
    }
  });

  it("reaches a chord and an error link", async () => {
    const { app } = stage;
    const fail = app.signature("failures.fail", ["aggregate"]);
    const tell = app.stub("failures.tell");
    const sent = await chord([fail, tell.si(1)], tell.s()).delay();
    await expect(sent.get({ timeout: hangTimeout })).rejects.toMatchObject({
      cause: { name: "ChordError", cause: { name: "AggregateError", errors: parts } },
      message: expect.stringContaining("AggregateError: all failed: a; b") as string,
    });
    const told = randomUUID();
    const linked = await app.sendTask("failures.fail", ["aggregate"], { linkError: tell.s().set({ taskId: told }) });
    await expect(linked.get({ timeout: hangTimeout })).rejects.toThrow("all failed");
    expect(await app.asyncResult(told).get({ timeout: hangTimeout })).toMatchObject({ failure: { errors: parts } });
  });
});

it("--full-stacks keeps the frames of Bullrush", async () => {
  for (const pool of ["inline", "processes"]) {
    await using stage = open("-P", pool, "--full-stacks");
    const { cause, id } = await stage.errorOf("aggregate");
    expect(cause.stack).toMatch(/callFunction \(.*worker\/dist\//);
    expect((await stage.worker.waitForEntry({ msg: "failed", id }))["stack"]).toBe(cause.stack);
  }
});
