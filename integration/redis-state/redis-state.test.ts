import { createBeat } from "@bullrush/beat";
import { chain, chord, createApp, group } from "@bullrush/client";
import { createWorker } from "@bullrush/worker";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../lib/eventually.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { serverBinary, startServer } from "../lib/server.js";
import { readStatePage, type DocumentedKey } from "./state-page.js";
import { watchWrites, type Writes } from "./watched-writes.js";

const timeout = { timeout: hangTimeout } as const;
const prefix = "state";

/** What is documented, and what this test need not write. */
const rare: ReadonlySet<string> = new Set([
  // After a crash, a lost lease or a refusal.
  "<prefix>:<queue>:<id> stc",
  "<prefix>:<queue>:<id> verdict",
  "<prefix>:<queue>:<id> unknownSince",
  "<prefix>:<queue>:<id> unsent",
  "<prefix>:<queue>:stalled",
  "<prefix>:<queue>:stalled-check",
  // By BullMQ's producers and tools, and for their jobs.
  "<prefix>:<queue>:<id> defa",
  "<prefix>:<queue>:<id> parentKey",
  "<prefix>:<queue>:<id> parent",
  "<prefix>:<queue>:<id> rjk",
  "<prefix>:<queue>:<id> deid",
  "<prefix>:<queue>:<id>:logs",
  "<prefix>:<queue>:<id>:dependencies",
  "<prefix>:<queue>:<id>:processed",
  "<prefix>:<queue>:<id>:failed",
  "<prefix>:<queue>:<id>:unsuccessful",
  "<prefix>:<queue>:paused",
  "<prefix>:<queue>:de:<id>",
  "<prefix>:<queue>:repeat",
  "<prefix>:<queue>:repeat:<id>",
  // Of messages, values and numbers that are large.
  "bullrush:queue:<prefix>:<queue>:dead-letter:<id> length",
  "bullrush:queue:<prefix>:<queue>:retained completedCountedAt",
  "bullrush:queue:<prefix>:<queue>:retained failedCountedAt",
  "bullrush:queue:<prefix>:<queue>:retained deadLettersCountedAt",
  "bullrush:flow:<prefix>:<id> v<n>",
]);

/** Runs something of everything, and resolves when all of it has ended. */
async function runEverything(url: string): Promise<void> {
  const app = createApp({
    broker: url,
    prefix,
    queues: ["default", "limited", "quiet"],
    beat: { often: { task: "add", args: [1, 2], schedule: "1s" } },
  });
  const log = pino({ level: "silent" });
  const add = app.task("add", (x: number, y: number) => x + y);
  const sum = app.task("sum", (all: readonly number[]) => all.reduce((one, other) => one + other, 0));
  const fail = app.task("fail", (): number => {
    throw new RangeError("no luck");
  });
  const note = app.task("note", (_: unknown) => undefined);
  const grow = app.task("grow", { queue: "quiet" }, async function (x: number): Promise<number> {
    await this.addToChord(add.s(x, x));
    return x;
  });
  const again = app.task("again", { maxRetries: 2 }, function (): string {
    if (this.attempt < 3) return this.retry({ countdown: "10ms" });
    return "done";
  });
  const report = app.task("report", async function (): Promise<void> {
    await this.progress({ current: 1, total: 2 });
  });
  const refuse = app.task("refuse", function (): void {
    this.reject({ reason: "not a number" });
  });
  const limited = app.task("limited", { queue: "limited" }, (x: number) => x);
  let isHeld = false;
  const hold = app.task("hold", async function (): Promise<void> {
    isHeld = true;
    await new Promise<void>((resolve) => this.signal.addEventListener("abort", () => resolve()));
    this.signal.throwIfAborted();
  });

  const queue = new Queue("limited", { prefix, connection: { url } });
  await queue.setGlobalConcurrency(1);
  await queue.setGlobalRateLimit(100, 1000);
  await queue.pause();
  await queue.resume();
  const worker = createWorker(app, { log });
  const beat = createBeat(app, { log });
  await Promise.all([worker.start(), beat.start()]);

  const ended = [
    await chain(add.s(1, 2), add.s(3)).delay(),
    await group([add.s(1, 2), add.s(3, 4)]).delay(),
    await chord([add.s(1, 2), grow.s(3)], sum.s()).delay(),
    await add.s(1, 2).set({ link: note.s() }).delay(),
    await again.delay(),
    await report.delay(),
    await limited.delay(1),
    await add.applyAsync([1, 2], { priority: 3 }),
    await add.applyAsync([1, 2], { countdown: "10ms" }),
  ];
  for (const one of ended) await one.get(timeout);
  const failed = [
    await chain(fail.si(), add.s(1), add.s(2)).delay(),
    await chord([add.s(1, 2), fail.s()], sum.s()).delay(),
    await fail.s().set({ linkError: note.s() }).delay(),
    await refuse.delay(),
  ];
  for (const one of failed) await expect(one.get(timeout)).rejects.toThrow();
  const saved = await group([add.s(1, 2), add.s(3, 4)]).delay();
  await saved.save();
  await saved.get(timeout);

  const waiting = await chord([add.s(1, 2).set({ countdown: "1h" }), add.s(3, 4)], sum.s()).delay();
  await waiting.revoke();
  const running = await hold.delay();
  await eventually("it runs", () => isHeld);
  await running.revoke({ terminate: true });
  await expect(running.get(timeout)).rejects.toThrow();

  await eventually("beat has sent", async () => (await app.beat.list()).some(({ count }) => count > 0));
  await app.beat.set("runtime", { task: add, schedule: "1h", args: [1, 2] });
  await app.beat.pause("runtime");
  await app.beat.remove("runtime");
  await app.beat.remove("often");
  await Promise.all([beat.stop(), worker.stop()]);
  await queue.close();
  await app.close();
}

/** The keys and fields that no table of the page has, and those of other types than it says. */
function undocumentedIn({ types, fields }: Writes, keys: readonly DocumentedKey[]): readonly string[] {
  return [...types].flatMap(([key, type]) => {
    const known = keys.filter(({ pattern }) => pattern.test(key));
    const fitting = known.filter((one) => one.type === "any" || one.type.replace("sorted set", "zset") === type);
    if (fitting.length === 0)
      return [`${type} ${key}${known.length === 0 ? "" : `, documented as ${known.map((one) => one.type).join()}`}`];
    if (fitting.some((one) => one.type === "any")) return [];
    const all = fitting.flatMap((one) => one.fields);
    return [...(fields.get(key) ?? [])].flatMap((field) =>
      all.some(({ pattern }) => pattern.test(field)) ? [] : [`field ${field} of ${key}`],
    );
  });
}

/** The keys and fields of the page that were not written. */
function unseenIn({ types, fields }: Writes, keys: readonly DocumentedKey[]): readonly string[] {
  const written = [...types.keys()];
  return keys.flatMap(({ name, pattern, fields: documented }) => {
    const found = written.filter((key) => pattern.test(key));
    if (found.length === 0) return [name];
    const all = found.flatMap((key) => [...(fields.get(key) ?? [])]);
    return documented.filter((one) => !all.some((field) => one.pattern.test(field))).map((one) => `${name} ${one.name}`);
  });
}

/** All names of the page. */
function documentedIn(keys: readonly DocumentedKey[]): readonly string[] {
  return keys.flatMap(({ name, fields }) => [name, ...fields.map((field) => `${name} ${field.name}`)]);
}

test.skipIf(serverBinary === undefined)(
  "all that a live Redis holds is in docs/reference/redis-state.md, and the other way round",
  async () => {
    await using server = await startServer();
    const redis = new Redis(server.url(), { replyMapping: "legacy" });
    onTestFinished(() => redis.disconnect());
    const writes = await watchWrites(redis);
    onTestFinished(() => writes.stop());
    await runEverything(server.url());
    const { keys } = readStatePage(prefix);
    expect(undocumentedIn(writes, keys)).toEqual([]);
    expect(unseenIn(writes, keys).filter((name) => !rare.has(name))).toEqual([]);
    expect([...rare].filter((name) => !documentedIn(keys).includes(name))).toEqual([]);
  },
);

test("an undocumented key, an undocumented field and another type are named", () => {
  const { keys } = readStatePage(prefix);
  const flow = `bullrush:flow:${prefix}:f0c7f6c4-6a55-4c39-9f4c-0d8a63f0e001`;
  const types = new Map([
    [`${prefix}:default:surprise:1`, "set"],
    [`${prefix}:default:wait`, "zset"],
    [flow, "hash"],
  ]);
  const writes = { types, fields: new Map([[flow, new Set(["layout", "c12", "left"])]]), stop: () => undefined };
  expect(undocumentedIn(writes, keys)).toEqual([
    `set ${prefix}:default:surprise:1`,
    `zset ${prefix}:default:wait, documented as hash,list`,
    `field left of ${flow}`,
  ]);
});
