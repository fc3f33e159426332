import { describe, expect, it } from "vitest";
import { openFleet } from "../lib/fleet.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { places } from "../lib/places.js";
import { eventually } from "../lib/eventually.js";

describe.concurrent.each(places)("revoked tasks, with results $results", ({ backend }) => {
  it.each(["SIGKILL", "SIGTERM"] as const)("stays so when its worker is started anew after %s", async (signal) => {
    await using fleet = openFleet({ backend: await backend(), worker: { shutdownTimeout: 0 } });
    const { app, ledger } = fleet;
    const send = () => app.sendTask<string>("linger", [60_000, 0, "first"]);
    const counts = async () => (await app.engine.queues.counts(["one"]))[0];

    const waiting = await send();
    expect(await waiting.revoke({ reason: "waits" })).toBe(true);
    const first = fleet.start("first");
    const ended = await app.sendTask("hold", [0]);
    expect(await ended.get({ timeout: hangTimeout })).toEqual({ worker: "first", attempt: 1 });
    expect(await ended.revoke()).toBe(false);

    const [running, left] = await Promise.all([send(), send()]);
    await eventually("both have begun", () => [running, left].every(({ id }) => ledger.of(id).length === 1));
    expect(await running.revoke({ reason: "runs" })).toBe(true);
    await eventually("its signal has aborted", () => ledger.of(running.id, "abort").length === 1);
    await first.stop(signal);
    expect(await left.revoke({ reason: "left" })).toBe(true);

    const second = fleet.start("second");
    const revoked = { waiting, running, left };
    await eventually("all are settled", async () => (await counts())?.failed === 3 && (await counts())?.completed === 1);
    expect(await counts()).toMatchObject({ waiting: 0, delayed: 0, active: 0 });
    const reasons = { waiting: "waits", running: "runs", left: "left" };
    for (const [name, sent] of Object.entries(revoked)) {
      const reason = reasons[name as keyof typeof reasons];
      expect(await sent.get({ propagate: false, timeout: hangTimeout })).toEqual({ state: "REVOKED", reason });
      expect(await sent.revoke({ reason: "once more" })).toBe(true);
      expect(await sent.get({ propagate: false })).toEqual({ state: "REVOKED", reason });
    }
    expect(await ended.revoke()).toBe(false);
    expect(await ended.get()).toEqual({ worker: "first", attempt: 1 });
    expect([waiting, ended, running, left].map(({ id }) => ledger.of(id).length)).toEqual([0, 1, 1, 1]);
    expect(await (await app.sendTask("hold", [0])).get({ timeout: hangTimeout })).toEqual({ worker: "second", attempt: 1 });
    expect(await second.stop()).toEqual({ code: 0, signal: null });
  });
});
