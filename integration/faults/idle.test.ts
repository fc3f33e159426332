import { createApp } from "@bullrush/client";
import { createWorker } from "@bullrush/worker";
import { Redis } from "ioredis";
import { pino } from "pino";
import { expect, it, onTestFinished } from "vitest";
import { serverBinary, startServer } from "../lib/server.js";
import { eventually } from "../lib/eventually.js";

/** The commands that clients send to a Redis from now on: those of scripts are not among them. */
async function watch(url: string): Promise<readonly (readonly string[])[]> {
  const redis = new Redis(url);
  const monitor = await redis.monitor();
  onTestFinished(() => {
    monitor.disconnect();
    redis.disconnect();
  });
  const sent: (readonly string[])[] = [];
  monitor.on("monitor", (_: string, args: readonly string[], source: string) => void (source !== "lua" && sent.push(args)));
  return sent;
}

it.skipIf(serverBinary === undefined)("an idle worker sends at most 29 commands a minute, however many queues it has", async () => {
  await using server = await startServer();
  const queues = Array.from({ length: 10 }, (_, index) => `queue-${index}`);
  const app = createApp({ broker: server.url(), backend: server.url(), queues, defaultQueue: "queue-0" });
  const worker = createWorker(app, { queues, log: pino({ level: "silent" }) });
  onTestFinished(async () => void (await worker.stop()));
  await worker.start();
  const idle = new Redis(server.url());
  onTestFinished(() => idle.disconnect());
  // From the first blocking read that lasts as long as it may, so that what a start costs is over.
  await eventually("it waits", async () => /cmd=bzpopmin/.test(String(await idle.client("LIST"))));
  const sent = await watch(server.url());
  const reads = () => sent.filter(([command]) => command?.toLowerCase() === "bzpopmin").length;
  // Each lasts for 10 s: half a minute.
  await eventually("three blocking reads", () => reads() >= 3);
  expect(sent.length).toBeLessThanOrEqual(15 + 2);
  expect(sent.length).toBeGreaterThan(6);
});
