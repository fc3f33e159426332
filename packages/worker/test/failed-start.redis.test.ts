import { randomUUID } from "node:crypto";
import { createApp } from "@bullrush/client";
import { pino } from "pino";
import { expect, inject, onTestFinished, test } from "vitest";
import { createWorker, type Worker } from "../src/worker.js";

const broker = inject("redisUrl");

function workerOf(prefix: string, backend: string): Worker {
  const worker = createWorker(createApp({ broker, backend, prefix }), { captureConsole: true, log: pino({ level: "silent" }) });
  onTestFinished(() => void worker.stop());
  return worker;
}

test("a worker that cannot start leaves the streams of its process as they were, and its name to others", async () => {
  const prefix = `worker-${randomUUID()}`;
  const { write } = process.stdout;
  const unfit = workerOf(prefix, broker.replace(/(\/\d+)?$/, "/9999"));
  await expect(unfit.start()).rejects.toMatchObject({ code: "REDIS_UNSUITABLE" });
  expect(process.stdout.write).toBe(write);
  const next = workerOf(prefix, broker);
  await next.start();
  expect(process.stdout.write).not.toBe(write);
  expect(next.options.name).toBe(unfit.options.name);
  await next.stop();
  expect(process.stdout.write).toBe(write);
});
