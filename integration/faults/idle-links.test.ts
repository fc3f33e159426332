import { createApp } from "@bullrush/client";
import { it } from "vitest";
import { openStage } from "../beat/stage.js";
import { openFleet } from "../lib/fleet.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { openProxy } from "../lib/proxy.js";
import { redisUrl } from "../lib/redis-url.js";

it.concurrent("client whose links died while it was idle: the first call is sent, and its result arrives", async ({
  expect,
  onTestFinished,
}) => {
  await using fleet = openFleet();
  await using proxy = await openProxy(redisUrl());
  const worker = fleet.start("worker");
  await worker.waitForEntry({ msg: "ready" });
  const app = createApp({ broker: proxy.url, backend: proxy.url, prefix: fleet.prefix, queues: ["one"], defaultQueue: "one" });
  onTestFinished(() => app.close());
  expect(await (await app.sendTask("hold", [0])).get({ timeout: hangTimeout })).toMatchObject({ attempt: 1 });
  proxy.blackhole();
  // With the default of 5 s, each would have been rejected.
  const re = await app.sendTask("hold", [0]);
  expect(await re.get({ timeout: hangTimeout })).toMatchObject({ attempt: 1 });
  expect(await re.status()).toBe("SUCCESS");
  expect(fleet.ledger.starts().get(re.id)).toBe(1);
});

it.concurrent("a worker whose links died while it was idle: it takes, once, and no call of it fails", async ({ expect }) => {
  await using fleet = openFleet({ worker: { lease: "15s", scan: "5s" } });
  await using proxy = await openProxy(redisUrl());
  const worker = fleet.start("worker", { broker: proxy.url, backend: proxy.url });
  await worker.waitForEntry({ msg: "ready" });
  expect(await (await fleet.app.sendTask("hold", [0])).get({ timeout: hangTimeout })).toMatchObject({ attempt: 1 });
  proxy.blackhole();
  const re = await fleet.app.sendTask("hold", [0]);
  expect(await re.get({ timeout: hangTimeout })).toMatchObject({ attempt: 1 });
  expect(fleet.ledger.starts().get(re.id)).toBe(1);
  expect(worker.entries.filter(({ msg }) => /nothing taken|not waiting|not renewed/.test(String(msg)))).toEqual([]);
});

it.concurrent("beat whose links died: it goes on leading and sending", async ({ expect }) => {
  await using stage = openStage({ often: { task: "beat.add", args: [1, 2], schedule: "4s" } });
  await using proxy = await openProxy(redisUrl());
  const beat = stage.beat({ broker: proxy.url });
  await beat.waitForEntry({ msg: "sent" });
  proxy.blackhole();
  const sent = () => beat.entries.filter(({ msg }) => msg === "sent").length;
  const before = sent();
  await expect.poll(sent).toBeGreaterThan(before + 1);
  expect(beat.entries.filter(({ msg }) => msg === "leading")).toHaveLength(1);
  expect(beat.entries.filter(({ msg }) => /not sent|may lead|not renewed/.test(String(msg)))).toEqual([]);
  expect(await beat.stop()).toEqual({ code: 0, signal: null });
  const due = (await stage.taken()).map((tick) => tick.due);
  expect(new Set(due).size).toBe(due.length);
});
