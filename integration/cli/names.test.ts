import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { compiledFixture } from "../lib/fixture.js";
import { startWorker, type WorkerProcess } from "../lib/task-worker.js";

const fixture = compiledFixture("fixtures/tasks.ts", import.meta.url);

function start(prefix: string, ...args: readonly string[]): WorkerProcess {
  return startWorker({ app: fixture, args, env: { FIXTURE_PREFIX: prefix, FIXTURE_QUEUES: "one" } });
}

const nameOf = async (worker: WorkerProcess) => (await worker.waitForEntry({ msg: "ready" }))["worker"];

describe.concurrent("workers on a host", () => {
  it("started at once without a name: different names; a later one gets a released name", async () => {
    const prefix = `names-${randomUUID()}`;
    await using one = start(prefix);
    await using two = start(prefix);
    const names = [await nameOf(one), await nameOf(two)];
    expect(new Set(names)).toEqual(new Set([`worker@${hostname()}`, `worker2@${hostname()}`]));
    await using three = start(prefix);
    expect(await nameOf(three)).toBe(`worker3@${hostname()}`);
    expect(await two.stop()).toEqual({ code: 0, signal: null });
    await using four = start(prefix);
    expect(await nameOf(four)).toBe(names[1]);
    for (const worker of [one, two, three, four]) expect(worker.entries.filter(({ level }) => Number(level) > 30)).toEqual([]);
  });

  it("of another prefix have names of their own", async () => {
    await using one = start(`names-${randomUUID()}`);
    await using two = start(`names-${randomUUID()}`);
    expect([await nameOf(one), await nameOf(two)]).toEqual([`worker@${hostname()}`, `worker@${hostname()}`]);
  });

  it("with the same configured name: both keep it, and the second warns of the first", async () => {
    const prefix = `names-${randomUUID()}`;
    await using one = start(prefix, "-n", "same@%h");
    expect(await nameOf(one)).toBe(`same@${hostname()}`);
    await using two = start(prefix, "-n", "same@%h");
    expect(await nameOf(two)).toBe(`same@${hostname()}`);
    const warnings = two.entries.filter(({ level }) => level === 40);
    expect(warnings).toMatchObject([
      { worker: `same@${hostname()}`, host: hostname(), pid: one.pid, since: expect.stringMatching(/^\d{4}-/) as string },
    ]);
    expect(warnings[0]?.["msg"]).toContain("another worker bears this name");
    expect(one.entries.filter(({ level }) => level === 40)).toEqual([]);
  });
});
