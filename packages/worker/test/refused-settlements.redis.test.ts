import { newId } from "@bullrush/broker";
import { chain, createApp } from "@bullrush/client";
import { pino } from "pino";
import { expect, inject, it, onTestFinished, vi } from "vitest";
import { hangTimeout } from "../../../integration/lib/hang-timeout.js";
import { redis } from "../../client/test/redis.js";
import { createWorker } from "../src/index.js";

/** An app with a worker on its queue, whose task `held` ends when it is released, as it is told to, and what it logs. */
async function stage() {
  const app = createApp({ broker: inject("redisUrl"), prefix: newId() });
  const failed: string[] = [];
  app.use({ name: "ends", on: { failed: ({ execution: { id }, outcome }) => void failed.push(`${id} ${outcome.failure.code}`) } });
  const lines: Record<string, unknown>[] = [];
  const log = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  const begun: string[] = [];
  const held = app.task("held", { maxRetries: 1 }, async function (how: string) {
    begun.push(this.id);
    await released;
    if (how === "retry") return this.retry({ countdown: 1 });
    if (how === "fail") throw new Error("as told");
    return how;
  });
  const worker = createWorker(app, { log, concurrency: 10 });
  onTestFinished(async () => {
    release();
    await worker.stop(AbortSignal.abort());
    await app.close();
  });
  await worker.start();
  const { prefix } = app.options;
  const ask = (...command: readonly string[]) => redis(inject("redisUrl"), ...command);
  const refusals = () => lines.filter(({ msg }) => msg === "a settlement was refused");
  const count = (list: string) => ask("LLEN", `${prefix}:default:${list}`);
  const letters = () => ask("ZRANGE", `bullrush:queue:${prefix}:default:dead-letters`, "0", "-1");
  const letter = (id: string, field: string) => ask("HGET", `bullrush:queue:${prefix}:default:dead-letter:${id}`, field);
  return { prefix, worker, lines, failed, held, begun, release, ask, refusals, count, letters, letter };
}

it("one that Redis refuses ends in the dead letters after its tries, which hooks hear of, and those beside it are settled at once", async () => {
  const { prefix, worker, failed, held, begun, release, ask, refusals, count, letters, letter } = await stage();
  const bad = await chain(held.s("bad"), held.s()).delay();
  const good = await Promise.all(["a", "b", "c"].map((value) => held.delay(value)));
  const again = await held.delay("fail");
  await vi.waitUntil(() => begun.length === 5, hangTimeout);
  await ask("RPUSH", `bullrush:flow:${prefix}:${bad.id}:done`, "x");
  release();
  expect(await Promise.all(good.map((result) => result.get({ timeout: hangTimeout })))).toEqual(["a", "b", "c"]);
  await expect(again.get({ timeout: hangTimeout })).rejects.toThrow("as told");
  await vi.waitUntil(async () => (await count("active")) === 1, hangTimeout);
  expect(refusals().length).toBeLessThan(5);
  const first = bad.parent?.id ?? "";
  await vi.waitUntil(async () => (await count("active")) === 0, hangTimeout);
  expect(await letters()).toEqual([first]);
  expect(failed).toContain(`${first} SETTLEMENT_REFUSED`);
  expect(String(await letter(first, "reason"))).toMatch(/could not be settled.*WRONGTYPE/);
  expect(String(await letter(first, "data"))).toContain('"args":["bad"]');
  expect(await bad.parent?.get()).toBe("bad");
  expect(await worker.stop(AbortSignal.timeout(20_000))).toBe(0);
});

it("one that Redis refuses holds up no stop for longer than its tries", async () => {
  const { prefix, worker, held, begun, release, ask, lines, refusals, letters } = await stage();
  const bad = await chain(held.s("bad"), held.s()).delay();
  await vi.waitUntil(() => begun.length === 1, hangTimeout);
  await ask("RPUSH", `bullrush:flow:${prefix}:${bad.id}:done`, "x");
  release();
  await vi.waitUntil(() => refusals().length > 0, hangTimeout);
  expect(await worker.stop()).toBe(0);
  expect(await letters()).toEqual([bad.parent?.id]);
  expect(lines.some(({ msg }) => String(msg).includes("without the broker"))).toBe(false);
});

it.each(["good", "fail", "retry"])("one whose message is something else by now holds up no others and no stop: %s", async (how) => {
  const { prefix, worker, held, begun, release, ask, count } = await stage();
  const bad = await held.delay(how);
  const good = await Promise.all(["a", "b", "c"].map((value) => held.delay(value)));
  await vi.waitUntil(() => begun.length === 4, hangTimeout);
  await ask("SET", `${prefix}:default:${bad.id}`, "x");
  release();
  expect(await Promise.all(good.map((result) => result.get({ timeout: hangTimeout })))).toEqual(["a", "b", "c"]);
  await vi.waitUntil(async () => Number(await count("active")) <= 1, hangTimeout);
  expect(await worker.stop()).toBe(0);
});
