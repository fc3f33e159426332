import { chord } from "@bullrush/client";
import { describe, expect, it } from "vitest";
import { openFleet, type Fleet } from "../lib/fleet.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { openProxy } from "../lib/proxy.js";
import { eventually } from "../lib/eventually.js";
import { redisUrl } from "../lib/redis-url.js";

/** Of each worker, in ms. */
const lease = 4000;

/** Longer than a lease and two scans. */
const long = 2 * lease;

/** A fleet in which the guard may end processes. */
const open = () => openFleet({ worker: { lease, concurrency: 4, endsProcess: true } });

const begun = (fleet: Fleet, id: string, times = 1) => eventually("it has begun", () => fleet.ledger.of(id).length === times);

describe.concurrent("a task that blocks its worker's event loop for longer than the lease", () => {
  it.each([
    ["with a result", {}],
    ["without a result", { ignoreResult: true }],
  ])("runs once, %s, though another worker waits", async (_, options) => {
    await using fleet = open();
    const workers = [fleet.start("first"), fleet.start("second")];
    await Promise.all(workers.map((worker) => worker.waitForEntry({ msg: "ready" })));
    const sent = await fleet.app.sendTask<string>("burn", [long], options);
    await eventually("it is settled", async () => (await fleet.app.engine.queues.counts(["one"]))[0]?.completed === 1);
    if (!("ignoreResult" in options)) expect(await sent.get()).toMatch(/first|second/);
    expect(fleet.ledger.of(sent.id)).toHaveLength(1);
  });

  it("fails once, as it fails", async () => {
    await using fleet = open();
    fleet.start("first");
    fleet.start("second");
    const sent = await fleet.app.sendTask("burn", [long, "no luck"]);
    expect(await sent.get({ timeout: hangTimeout, propagate: false })).toMatchObject({ state: "FAILURE", failure: { message: "no luck" } });
    expect(fleet.ledger.of(sent.id)).toHaveLength(1);
  });

  it("keeps the leases of those beside it, those that must not run twice included", async () => {
    await using fleet = open();
    const { app } = fleet;
    const beside = [await app.sendTask("hold", [100]), await app.sendTask("once", [100])];
    const sent = await app.sendTask<string>("burn", [long]);
    const first = fleet.start("first");
    await begun(fleet, sent.id);
    const second = fleet.start("second");
    await second.waitForEntry({ msg: "ready" });
    expect(await sent.get({ timeout: hangTimeout })).toBe("first");
    for (const one of beside) expect(await one.get({ timeout: hangTimeout })).toMatchObject({ worker: "first", attempt: 1 });
    expect([...fleet.ledger.starts().values()]).toEqual([1, 1, 1]);
    await Promise.all([first.stop(), second.stop()]);
  });

  it("completes the chord of which it is a member", async () => {
    await using fleet = open();
    const { app } = fleet;
    fleet.start("first", { concurrency: 1 });
    fleet.start("second", { concurrency: 1 });
    const sent = await chord([app.signature("burn", [long]), app.signature("burn", [10])], app.signature("give")).delay();
    expect(await sent.get({ timeout: "120s" })).toHaveLength(2);
    expect([...fleet.ledger.starts().values()]).toEqual([1, 1]);
  });

  it("outlasts a Redis that cannot be reached meanwhile, for less than the lease", async () => {
    await using proxy = await openProxy(redisUrl());
    await using fleet = openFleet({ worker: { lease: 6000, concurrency: 1 } });
    fleet.start("first", { broker: proxy.url });
    const sent = await fleet.app.sendTask<string>("burn", [12_000]);
    await begun(fleet, sent.id);
    proxy.refuse();
    proxy.reset();
    fleet.start("second");
    await eventually("the guard has tried to connect", () => proxy.refused() > 0);
    proxy.pass();
    expect(await sent.get({ timeout: "120s" })).toBe("first");
    expect(fleet.ledger.of(sent.id)).toHaveLength(1);
  });
});

describe.concurrent("a task that blocks its worker's event loop, and is to be ended", () => {
  it("fails with TIME_LIMIT_EXCEEDED, its process ends, and other tasks go back uncounted", async () => {
    await using fleet = open();
    const { app } = fleet;
    const beside = await app.sendTask("hold", [3000]);
    const once = await app.sendTask("once", [3000]);
    const sent = await app.sendTask("burn", [600_000], { timeLimit: "1s" });
    const first = fleet.start("first");
    await begun(fleet, sent.id);
    expect(await first.exit).toEqual({ code: null, signal: "SIGKILL" });
    const ids = first.entries.find(({ reason }) => reason === "time limit")?.["tasks"];
    expect(ids).toEqual(expect.arrayContaining([expect.objectContaining({ task: "burn", id: sent.id })]));
    fleet.start("second");
    expect(await sent.get({ timeout: hangTimeout, propagate: false })).toMatchObject({
      state: "FAILURE",
      failure: { code: "TIME_LIMIT_EXCEEDED" },
    });
    expect(await beside.get({ timeout: hangTimeout })).toEqual({ worker: "second", attempt: 1 });
    // It has begun, and must not begin again.
    expect(await once.get({ timeout: hangTimeout, propagate: false })).toMatchObject({
      state: "FAILURE",
      failure: { code: "WORKER_LOST" },
    });
    expect(fleet.ledger.of(sent.id)).toHaveLength(1);
  });

  it("is revoked, with terminate, together with its process", async () => {
    await using fleet = open();
    const { app } = fleet;
    const beside = await app.sendTask("hold", [3000]);
    const sent = await app.sendTask("burn", [600_000]);
    const first = fleet.start("first");
    await begun(fleet, sent.id);
    expect(await sent.revoke({ terminate: true })).toBe(true);
    expect(await first.exit).toEqual({ code: null, signal: "SIGKILL" });
    expect(first.entries).toContainEqual(expect.objectContaining({ reason: "terminated" }));
    fleet.start("second");
    expect(await beside.get({ timeout: hangTimeout })).toEqual({ worker: "second", attempt: 1 });
    expect(await sent.get({ timeout: hangTimeout, propagate: false })).toMatchObject({ state: "REVOKED" });
    await eventually("it is dropped", async () => (await app.engine.queues.counts(["one"]))[0]?.active === 0);
    expect(fleet.ledger.of(sent.id)).toHaveLength(1);
  });

  it("counts as a crash at the limit for the event loop, and those beside it run elsewhere", async () => {
    await using fleet = open();
    const { app } = fleet;
    const sent = await app.sendTask("burn", [600_000]);
    const beside = await app.sendTask("hold", [10]);
    const worker = fleet.supervise("only", { blockedLimit: "1s" });
    expect(await sent.get({ timeout: "150s", propagate: false })).toMatchObject({ state: "FAILURE", failure: { code: "TASK_POISONED" } });
    expect(await beside.get({ timeout: hangTimeout })).toEqual({ worker: "only", attempt: 1 });
    expect(fleet.ledger.of(sent.id)).toHaveLength(2);
    expect(worker.starts()).toBe(3);
  });

  it("with endsProcess false: goes on, and the guard logs one line", async () => {
    await using fleet = open();
    const { app } = fleet;
    const sent = await app.sendTask<string>("burn", [long], { timeLimit: "500ms" });
    const first = fleet.start("first", { endsProcess: false });
    const line = await first.waitFor(/a task has run for longer than its time limit, and the event loop stands still/);
    expect(JSON.parse(line)).toMatchObject({ worker: "first", reason: "time limit", tasks: [{ task: "burn", id: sent.id }] });
    expect(await sent.get({ timeout: hangTimeout })).toBe("first");
    await first.stop();
    expect(first.errors.filter((one) => one.includes("stands still"))).toHaveLength(1);
  });
});

it("messages that a blocked worker took and did not read: go to others, and count no crash", async () => {
  await using proxy = await openProxy(redisUrl());
  await using fleet = open();
  const { app, ledger } = fleet;
  const ending = [await app.sendTask("linger", [null, null, "first"]), await app.sendTask("linger", [null, null, "first"])] as const;
  const blocker = await app.sendTask<string>("stand");
  // Counted as a crash, it would not run again.
  const unread = await app.sendTask("once", [10]);
  const first = fleet.start("first", { broker: proxy.url, concurrency: 2 });
  await eventually("two run", () => ledger.starts().size === 2);
  // Each of them asks for another task when it ends, and the second one before the first one has
  // got any.
  const replies = [proxy.holdReply(blocker.id), proxy.holdReply(unread.id)] as const;
  for (const [index, { id }] of ending.entries()) {
    ledger.write("may end", id);
    await replies[index]?.held;
  }
  replies[0].letGo();
  await begun(fleet, blocker.id);
  replies[1].letGo();
  fleet.start("second");
  expect(await unread.get({ timeout: hangTimeout })).toEqual({ worker: "second", attempt: 1 });
  ledger.write("may end", blocker.id);
  expect(await blocker.get({ timeout: hangTimeout })).toBe("first");
  await first.stop();
  for (const { id } of [...ending, blocker, unread]) expect(ledger.of(id)).toHaveLength(1);
});
