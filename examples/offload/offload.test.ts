import { fileURLToPath } from "node:url";
import { Redis } from "ioredis";
import { afterEach, expect, inject, test } from "vitest";
import { commandOf, start, type Started } from "../process.js";

const folder = fileURLToPath(new URL(".", import.meta.url));
const started: Started[] = [];
const urlOf = (database: number) => Object.assign(new URL(inject("redisUrl")), { pathname: `/${database}` }).href;
const environment = { BULLRUSH_BROKER_URL: urlOf(4), BULLRUSH_RESULT_BACKEND: urlOf(5), CACHE_URL: urlOf(6), PORT: "0" };

afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.stop()));
});

function run(command: string, args: readonly string[], more: Readonly<Record<string, string>> = environment): Started {
  const process = start(command, args, { folder, environment: more });
  started.push(process);
  return process;
}

test("the answer comes before the cache is written, and the cache is written", async () => {
  const worker = run(commandOf("bullrush", import.meta.url, "task-worker"), ["-A", "./tasks.ts"]);
  const server = run(commandOf("jiti", import.meta.url), ["server.ts"]);
  await worker.line("ready");
  const [address = ""] = /http\S+/.exec(await server.line("ready")) ?? [];
  const cache = new Redis(urlOf(6));
  try {
    const n = 1000 + Math.floor(Math.random() * 900_000);
    await cache.del(`square:${n}`);
    const get = async () => (await (await fetch(`${address}/squares/${n}`)).json()) as unknown;

    expect(await get()).toEqual({ square: n * n, cached: false });
    expect(await cache.get(`square:${n}`)).toBeNull();
    const answered = performance.now();

    await worker.line("succeeded", "offload.writeCache");
    expect(await cache.get(`square:${n}`)).toBe(String(n * n));
    expect(performance.now() - answered).toBeGreaterThan(1000);
    expect(await get()).toEqual({ square: n * n, cached: true });
  } finally {
    cache.disconnect();
  }
});

test("the demo: ends with 0 and leaves no process", async () => {
  const demo = run(commandOf("jiti", import.meta.url), ["demo.ts"], { BULLRUSH_DEMO_REDIS_URL: "" });
  expect([await demo.ended, demo.output()]).toEqual([0, expect.stringContaining("All as it should be")]);
  expect(demo.output()).toContain('GET /squares/12 → {"square":144,"cached":false}');
  expect(demo.output()).toContain('GET /squares/12 → {"square":144,"cached":true}');
  const [address = ""] = /http\S+/.exec(demo.output()) ?? [];
  await expect(fetch(address)).rejects.toThrow("fetch failed");
});
