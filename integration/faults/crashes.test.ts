import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { deadLettersOf } from "../../packages/broker/test/dead-letters.js";
import { openFleet } from "../lib/fleet.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { long } from "../lib/long.js";
import { places } from "../lib/places.js";
import { eventually } from "../lib/eventually.js";
import { redisUrl } from "../lib/redis-url.js";

describe.concurrent.each(places)("a task that kills its worker each time, with results $results", ({ backend }) => {
  it("starts three times, is poisoned, and other tasks succeed", async () => {
    await using fleet = openFleet({ backend: await backend(), worker: { concurrency: 20 } });
    const { app, ledger } = fleet;
    const before = await Promise.all(Array.from({ length: 10 }, () => app.sendTask("hold", [200])));
    const killer = await app.sendTask("killer");
    const after = await Promise.all(Array.from({ length: 9 }, () => app.sendTask("hold", [200])));
    const worker = fleet.supervise("only");

    expect(await killer.get({ propagate: false, timeout: "150s" })).toMatchObject({ state: "FAILURE", failure: { code: "TASK_POISONED" } });
    const others = [...before, ...after];
    const outcomes = await Promise.all(others.map((one) => one.get({ timeout: hangTimeout })));
    expect(outcomes).toEqual(others.map(() => ({ worker: "only", attempt: 1 })));
    expect(ledger.of(killer.id)).toHaveLength(3);
    expect(worker.starts()).toBe(4);

    // On two servers a result is stored before its task is settled.
    await eventually("all are settled", async () => (await app.engine.queues.counts(["one"]))[0]?.active === 0);
    const redis = new Redis(redisUrl(), { replyMapping: "legacy" });
    const letters = await deadLettersOf(redis, fleet.prefix, "one");
    redis.disconnect();
    expect(letters.map(({ id }) => id)).toEqual([killer.id]);
    expect(await app.engine.queues.counts(["one"])).toMatchObject([{ waiting: 0, completed: 19, failed: 1 }]);
  });
});

it("a task that has to run alone: goes back while others run, and blocks no take", async () => {
  await using fleet = openFleet({ worker: { concurrency: 4 } });
  const { app, ledger } = fleet;
  const killer = await app.sendTask("killer");
  const worker = fleet.supervise("only");
  await eventually("it has killed its worker twice", () => worker.starts() === 3);
  const long = await app.sendTask("linger", [null, null, "only"]);
  await worker.current().waitForEntry({ msg: "requeued", id: killer.id });
  for (let count = 0; count < 3; count++) await (await app.sendTask("hold", [10])).get({ timeout: hangTimeout });
  expect(await killer.ready()).toBe(false);
  ledger.write("may end", long.id);
  expect(await killer.get({ propagate: false, timeout: hangTimeout })).toMatchObject({ failure: { code: "TASK_POISONED" } });
  expect(ledger.of(killer.id)).toHaveLength(3);
});

describe.concurrent.each(places)("a task whose worker is killed, with results $results", ({ results, backend }) => {
  const production = long ? [{ lease: 15_000, scan: 5000 }] : [];

  it.each([{ lease: 2000, scan: 500 }, ...production])("runs elsewhere with $lease ms and $scan ms", async ({ lease, scan }) => {
    await using fleet = openFleet({ backend: await backend(), worker: { lease, scan } });
    const { app, ledger } = fleet;
    const first = fleet.start("first");
    const sent = await app.sendTask("linger", [60_000, 0, "first"]);
    await eventually("it has begun", () => ledger.of(sent.id).length === 1);
    await fleet.start("second").waitForEntry({ msg: "ready" });
    const killedAt = Date.now();
    await first.kill();
    expect(await sent.get({ timeout: hangTimeout })).toBe("second");
    const took = (ledger.of(sent.id)[1]?.at ?? Infinity) - killedAt;
    console.log(`results ${results}, lease ${lease} ms, scan ${scan} ms: ran elsewhere ${took} ms after the kill`);
  });
});

describe.concurrent("a task that is to run at most once", () => {
  it.each(places)("worker killed: WORKER_LOST, and no second start, with results $results", async ({ backend }) => {
    await using fleet = openFleet({ backend: await backend() });
    const { app, ledger } = fleet;
    const sent = await app.sendTask("once", [60_000]);
    const first = fleet.start("first");
    await eventually("it has begun", () => ledger.of(sent.id).length === 1);
    await first.kill();
    fleet.start("second");
    expect(await sent.get({ propagate: false, timeout: hangTimeout })).toMatchObject({
      state: "FAILURE",
      failure: { code: "WORKER_LOST" },
    });
    expect(ledger.of(sent.id)).toHaveLength(1);
  });

  it("is a failure when a deploy ended it", async () => {
    await using fleet = openFleet({ worker: { lease: "15s", shutdownTimeout: 0 } });
    const { app, ledger } = fleet;
    const sent = await app.sendTask("once", [2000]);
    const first = fleet.start("first");
    await eventually("it has begun", () => ledger.of(sent.id).length === 1);
    expect(await first.stop()).toEqual({ code: 0, signal: null });
    expect(await sent.get({ propagate: false, timeout: hangTimeout })).toMatchObject({
      state: "FAILURE",
      failure: { code: "WORKER_LOST" },
    });
    expect(ledger.of(sent.id)).toHaveLength(1);
  });
});
