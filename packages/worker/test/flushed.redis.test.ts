import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { newId } from "@bullrush/broker";
import { chain, createApp, group, type App, type AsyncResult } from "@bullrush/client";
import { pino } from "pino";
import { expect, it, onTestFinished, vi } from "vitest";
import { hangTimeout } from "../../../integration/lib/hang-timeout.js";
import { redis } from "../../client/test/redis.js";
import { createWorker } from "../src/index.js";

/** A Redis of this test's own, which it may empty. */
async function ownRedis(): Promise<string> {
  const port = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address() as { readonly port: number };
      server.close(() => resolve(address.port));
    });
  });
  const child = spawn("redis-server", ["--port", String(port), "--save", "", "--appendonly", "no"], { stdio: "ignore" });
  onTestFinished(() => void child.kill());
  const url = `redis://127.0.0.1:${port}/0`;
  await vi.waitUntil(() => redis(url, "PING").catch(() => undefined), hangTimeout);
  return url;
}

/** An app with the task `quick`, and `slow`, which ends when it is released, fails at its first attempt if it is given `retry`, and says when it waits. */
function tasksOf(app: App, released: Promise<void>, onWait: () => void) {
  return {
    quick: app.task("quick", (value: unknown) => value),
    slow: app.task("slow", { autoRetryFor: Error, retryDelay: 1 }, async function (value: unknown) {
      if (value === "retry" && this.attempt === 1) throw new Error("once more");
      onWait();
      await released;
      return value;
    }),
  };
}

type Tasks = ReturnType<typeof tasksOf>;

interface Way {
  readonly send: (tasks: Tasks) => Promise<AsyncResult>;
  /** Where results are. Default: with the messages. */
  readonly results?: "other database" | "other server";
  /** What is emptied. Default: the broker. */
  readonly empty?: "results" | "both";
  /** Default: 1. */
  readonly result?: unknown;
  /** How many wait. Default: 1. */
  readonly waiting?: number;
  /** Whether the worker has heard by the end of the task that its lease is lost. Default: true. */
  readonly isLost?: boolean;
}

const send = ({ slow }: Tasks): Promise<AsyncResult> => slow.delay(1);
const long = "x".repeat(100_000);

it.each<[string, Way]>([
  ["before its lease is renewed", { send, isLost: false }],
  ["after its lease was found lost", { send }],
  ["with results in another database", { send, results: "other database" }],
  ["with results on another server", { send, results: "other server" }],
  ["only of results", { send, results: "other server", empty: "results", isLost: false }],
  ["with results on another server, emptied too", { send, results: "other server", empty: "both" }],
  ["under an id of its caller's", { send: ({ slow }) => slow.applyAsync([1], { taskId: newId() }) }],
  ["with a result that is not sent along", { send: ({ slow }) => slow.delay(long), result: long }],
  ["with a priority", { send: ({ slow }) => slow.applyAsync([1], { priority: 5 }) }],
  ["as the second attempt", { send: ({ slow }) => slow.delay("retry"), result: "retry" }],
  ["as the last step of a chain", { send: ({ quick, slow }) => chain(quick.s(1), slow.s()).delay() }],
  ["as the first step of a chain", { send: async ({ quick, slow }) => (await chain(slow.s(1), quick.s()).delay()).parent as AsyncResult }],
  [
    "as a member of a group",
    { send: async ({ slow }) => (await group([slow.s(1), slow.s(1)]).delay()).results[0] as AsyncResult, waiting: 2 },
  ],
])("a task that runs while Redis is emptied stores its result, and who waits for it hears of it: %s", async (_, way) => {
  const { results, empty, result = 1, waiting = 1, isLost = true } = way;
  const url = await ownRedis();
  const other = results === "other server" ? await ownRedis() : url.replace(/0$/, "1");
  const app = createApp({ broker: url, ...(results && { backend: other }), prefix: newId() });
  const lines: Record<string, unknown>[] = [];
  const log = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let count = 0;
  const tasks = tasksOf(app, released, () => count++);
  const worker = createWorker(app, { log, lease: "1500ms", concurrency: 5 });
  onTestFinished(async () => {
    release();
    await worker.stop(AbortSignal.abort());
    await app.close();
  });
  await worker.start();
  const sent = await way.send(tasks);
  const waited = sent.get({ timeout: hangTimeout });
  await vi.waitUntil(() => count === waiting, hangTimeout);
  if (empty !== "results") await redis(url, "FLUSHALL");
  if (empty !== undefined) await redis(other, "FLUSHALL");
  if (isLost) await vi.waitUntil(() => lines.filter(({ msg }) => String(msg).startsWith("lease lost: ")).length === waiting, hangTimeout);
  release();
  expect(await waited).toEqual(result);
  expect(await app.asyncResult(sent.id).status()).toBe("SUCCESS");
  expect(await worker.stop(AbortSignal.timeout(10_000))).toBe(0);
});
