import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { createApp } from "@bullrush/client";
import { expect, it } from "vitest";
import { startWorker } from "../support/fleet.js";
import { redisUrl } from "../support/redis-url.js";

const fixture = fileURLToPath(new URL("fixtures/fallout.ts", import.meta.url));

function scene(hold: number) {
  const [url, prefix] = [redisUrl(), `fallout-${randomUUID()}`];
  const env = { BULLRUSH_BROKER_URL: url, FIXTURE_PREFIX: prefix, FIXTURE_HOLD: String(hold) };
  return {
    app: createApp({ broker: url, prefix, queues: ["one"], defaultQueue: "one" }),
    start: (...args: readonly string[]) => startWorker({ app: fixture, args, env }),
  };
}

it("a rejection that nobody handled is one line, and the worker goes on", async () => {
  const { app, start } = scene(0);
  await using _ = app;
  await using worker = start();
  const result = await app.sendTask("fixture.litter");
  expect(await result.get({ timeout: "30s" })).toBe("done");
  await worker.waitForEntry({ level: 50, error: "RangeError: left behind" });
  const next = await app.sendTask("fixture.add", [1, 2]);
  expect(await next.get({ timeout: "30s" })).toBe(3);
});

it("an exception that nobody caught ends the worker in an orderly way: what runs is finished, the exit code is 1", async () => {
  const { app, start } = scene(300);
  await using _ = app;
  await using worker = start();
  const result = await app.sendTask("fixture.explode");
  await worker.waitForEntry({ level: 60, error: "RangeError: far away" });
  expect(await worker.exit).toEqual({ code: 1, signal: null });
  expect(await result.get({ timeout: "1s" })).toBe("done");
  expect(worker.errors).toEqual([]);
});

it("a task that is put back at the end of the shutdown's patience is logged as requeued, not as failed", async () => {
  const { app, start } = scene(60_000);
  await using _ = app;
  await using worker = start("--shutdown-timeout", "300ms");
  const result = await app.sendTask("fixture.hold");
  await worker.waitForEntry({ msg: "holding", id: result.id });
  worker.signal("SIGTERM");
  expect(await worker.exit).toEqual({ code: 0, signal: null });
  const ofTask = worker.entries.filter((entry) => entry["id"] === result.id).map((entry) => entry["msg"]);
  expect(ofTask).toContain("requeued");
  expect(ofTask).not.toContain("failed");
  expect(await result.status()).toBe("PENDING");
});
