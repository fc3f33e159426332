import { newId } from "@bullrush/broker";
import { createApp } from "@bullrush/client";
import { pino } from "pino";
import { expect, inject, test } from "vitest";
import { hangTimeout } from "../../../../integration/lib/hang-timeout.js";
import { createWorker } from "../../src/index.js";

test("dead letters that the last tasks before a stop had no room for are warned of", async () => {
  const app = createApp({ broker: inject("redisUrl"), prefix: newId(), retention: { deadLetter: { count: 1 } } });
  const refuse = app.task("refuse", function () {
    return this.reject();
  });
  const entries: Readonly<Record<string, unknown>>[] = [];
  const log = pino({}, { write: (line: string) => void entries.push(JSON.parse(line) as Readonly<Record<string, unknown>>) });
  // No scan comes before the stop.
  const worker = createWorker(app, { log, lease: "1h" });
  await worker.start();
  for (const result of [await refuse.delay(), await refuse.delay(), await refuse.delay()])
    await result.get({ timeout: hangTimeout, propagate: false });
  await worker.stop();
  const warned = entries.filter(({ msg }) => String(msg).startsWith("dead letters removed"));
  expect(warned).toMatchObject([{ level: 40, queue: "default", dropped: 2 }]);
});
