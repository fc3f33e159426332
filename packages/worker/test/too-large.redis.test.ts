import { newId } from "@bullrush/broker";
import { createApp } from "@bullrush/client";
import { pino } from "pino";
import { expect, inject, it, onTestFinished, vi } from "vitest";
import { hangTimeout } from "../../../integration/lib/hang-timeout.js";
import { redis } from "../../client/test/redis.js";
import { createWorker } from "../src/index.js";

/** An app with a worker on its queue, into which others may write too. */
function stage() {
  const app = createApp({ broker: inject("redisUrl"), prefix: newId() });
  const lines: Record<string, unknown>[] = [];
  const log = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const worker = createWorker(app, { log, concurrency: 10 });
  const ran: unknown[] = [];
  const note = app.task("note", (value: string) => {
    ran.push(value.length);
    return value.length;
  });
  onTestFinished(async () => {
    await worker.stop(AbortSignal.abort());
    await app.close();
  });
  const ask = (...command: readonly string[]) => redis(inject("redisUrl"), ...command);
  const key = `${app.options.prefix}:default:`;
  const own = `bullrush:queue:${app.options.prefix}:default:`;
  /** Puts a job with this message at the front, as nobody should, in this state. */
  const plant = async (id: string, data: string, state: "wait" | "delayed" | "prioritized" = "wait") => {
    await ask(
      "HSET",
      key + id,
      "name",
      "note",
      "data",
      data,
      "opts",
      "{}",
      "timestamp",
      "1",
      "delay",
      "0",
      "priority",
      state === "prioritized" ? "3" : "0",
    );
    if (state === "wait") await ask("RPUSH", `${key}wait`, id);
    else await ask("ZADD", key + state, state === "delayed" ? "4096" : "3", id);
    await ask("ZADD", `${key}marker`, "0", "0");
  };
  return { app, worker, lines, ran, note, ask, key, own, plant };
}

const mebibyte = 1024 * 1024;

/** A message with an argument of so many bytes: many small objects, as they take most memory when they are parsed. */
function messageOf(bytes: number): string {
  const head = '{"bullrush":2,"args":["';
  return `${head}${"x".repeat(bytes - head.length - 3)}"]}`;
}

it.each(["wait", "delayed", "prioritized"] as const)(
  "a message that is too long to be read, in %s, fails without a run, and holds up no others",
  async (state) => {
    const { app, worker, lines, ran, note, ask, own, key, plant } = stage();
    const [id, foreign] = [newId(), "theirs"];
    const bytes = 8 * mebibyte + 1;
    await plant(id, messageOf(bytes), state);
    await plant(foreign, `"${"x".repeat(bytes)}"`, state);
    const sent = await note.delay("abc");
    await worker.start();
    expect(await sent.get({ timeout: hangTimeout })).toBe(3);
    const reason = `the message: ${bytes} bytes, over the limit of ${8 * mebibyte}`;
    const failed = app.asyncResult(id);
    await vi.waitUntil(() => lines.filter(({ msg, code }) => msg === "not run" && code === "PAYLOAD_TOO_LARGE").length === 2, hangTimeout);
    await expect(failed.get({ timeout: hangTimeout })).rejects.toMatchObject({ cause: { code: "PAYLOAD_TOO_LARGE" } });
    await vi.waitUntil(async () => (await ask("ZCARD", `${own}dead-letters`)) === 2, hangTimeout);
    const letter = await ask("HMGET", `${own}dead-letter:${id}`, "name", "data", "length");
    expect(letter).toEqual(["note", "", String(bytes)]);
    expect(String(await ask("HGET", `${own}dead-letter:${id}`, "reason"))).toContain(reason);
    for (const job of [id, foreign])
      expect([(await ask("ZSCORE", `${key}failed`, job)) !== null, await ask("HEXISTS", key + job, "data")]).toEqual([true, 0]);
    // What is kept beside it is not to make room for what it had.
    expect(Number(await ask("HGET", `${own}retained`, "deadLetters"))).toBeLessThan(10_000);
    expect(Number(await ask("HGET", `${own}retained`, "failed"))).toBeLessThan(10_000);
    expect(ran).toEqual([3]);
  },
);

it("a message of the longest that is read runs", async () => {
  const { worker, ran, plant } = stage();
  await plant(newId(), messageOf(8 * mebibyte));
  await worker.start();
  await vi.waitUntil(() => ran.length === 1, hangTimeout);
  expect(ran[0]).toBeGreaterThan(8 * mebibyte - 100);
});

it("a record that is too long to be read ends whoever waits for it, and a task of its id", async () => {
  const { app, worker, ask, note } = stage();
  const id = newId();
  const record = `{"state":"SUCCESS","delivery":1,"result":"${"x".repeat(9 * mebibyte)}"}`;
  await ask("SET", `bullrush:result:${id}`, record, "PX", "60000");
  await expect(app.asyncResult(id).get({ timeout: hangTimeout })).rejects.toMatchObject({ cause: { code: "DECODE_ERROR" } });
  const sent = await note.applyAsync(["abc"], { taskId: id });
  await worker.start();
  expect(await (await note.delay("abc")).get({ timeout: hangTimeout })).toBe(3);
  await expect(sent.get({ timeout: hangTimeout })).rejects.toMatchObject({ cause: { code: "DECODE_ERROR" } });
});

it("options of a job that are too long are not read: it is not tried again", async () => {
  const { app, worker, ask, key, ran } = stage();
  app.task("fails", () => {
    ran.push("fails");
    throw new Error("no");
  });
  const options = JSON.stringify({ attempts: 2, x: "x".repeat(100_000) });
  await ask("HSET", `${key}theirs`, "name", "fails", "data", "1", "opts", options, "timestamp", "1", "delay", "0", "priority", "0");
  await ask("RPUSH", `${key}wait`, "theirs");
  await worker.start();
  await vi.waitUntil(async () => (await ask("ZSCORE", `${key}failed`, "theirs")) !== null, hangTimeout);
  expect(ran).toEqual(["fails"]);
});
