import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { hangTimeout } from "../lib/hang-timeout.js";
import { places } from "../lib/places.js";
import { openProxy } from "../lib/proxy.js";
import { openFleet } from "../lib/fleet.js";
import { eventually } from "../lib/eventually.js";
import { redisUrl } from "../lib/redis-url.js";
import { serverBinary, startServer } from "../lib/server.js";

if (serverBinary === undefined)
  console.log("skipped: results on a server of their own, because PATH has no redis-server and no valkey-server");

describe
  .skipIf(serverBinary === undefined)
  .concurrent("with results on a server of their own, a worker stopped between body and store", () => {
    /**
     * The first worker, whose result is held back on its way to the backend, and which is stopped
     * then; and the id of the task.
     */
    async function stoppedBeforeStore() {
      const backend = await startServer();
      const proxy = await openProxy(backend.url());
      const fleet = openFleet({ backend: backend.url(), worker: { lease: "1500ms" } });
      const first = fleet.start("first", { backend: proxy.url });
      // From now on the backend knows the script, so that one packet stores.
      await (await fleet.app.sendTask("hold", [0])).get({ timeout: hangTimeout });
      const sent = await fleet.app.sendTask<string>("linger", [0, null, "first"]);
      const hold = proxy.hold(sent.id);
      await hold.held;
      first.signal("SIGSTOP");
      return {
        ...{ fleet, first, sent, hold },
        [Symbol.asyncDispose]: async () => {
          await fleet[Symbol.asyncDispose]();
          await proxy.close();
          await backend[Symbol.asyncDispose]();
        },
      };
    }

    it("overtaken: the result of the other delivery stays", async () => {
      await using scene = await stoppedBeforeStore();
      const { fleet, first, sent, hold } = scene;
      const second = fleet.start("second");
      fleet.ledger.write("may end", sent.id);
      expect(await sent.get({ timeout: hangTimeout })).toBe("second");
      hold.letGo();
      first.signal("SIGCONT");
      await first.waitForEntry({
        msg: "this run does not count: its lease was lost, and another run of the task has ended it, or will",
        id: sent.id,
      });
      expect(await fleet.app.asyncResult(sent.id).get()).toBe("second");
      await Promise.all([first.stop(), second.stop()]);
      expect(await fleet.app.asyncResult(sent.id).get()).toBe("second");
      expect(fleet.ledger.of(sent.id).map(({ worker }) => worker)).toEqual(["first", "second"]);
    });

    it("succeeds while another delivery runs: ends the task, and the other is stopped", async () => {
      await using scene = await stoppedBeforeStore();
      const { fleet, first, sent, hold } = scene;
      const second = fleet.start("second");
      await eventually("the second has begun", () => fleet.ledger.of(sent.id).length === 2);
      hold.letGo();
      first.signal("SIGCONT");
      expect(await sent.get({ timeout: hangTimeout })).toBe("first");
      await second.waitForEntry({ msg: "lease lost: another worker may run this task, or has ended it", id: sent.id });
      await eventually("its signal has aborted", () => fleet.ledger.of(sent.id, "abort").length === 1);
      fleet.ledger.write("may end", sent.id);
      await eventually("the second has ended", () => fleet.ledger.of(sent.id, "end").length === 2);
      await Promise.all([first.stop(), second.stop()]);
      expect(await fleet.app.asyncResult(sent.id).get()).toBe("first");
      expect(await fleet.app.engine.queues.counts(["one"])).toMatchObject([{ waiting: 0, active: 0, completed: 2, failed: 0 }]);
    });

    it("not yet claimed by another: its result stays, and the task does not run again", async () => {
      await using scene = await stoppedBeforeStore();
      const { fleet, sent, hold } = scene;
      hold.letGo();
      await eventually("it is stored", async () => (await sent.status()) === "SUCCESS");
      const second = fleet.start("second");
      await second.waitForEntry({ msg: "not run: its stored result stands", id: sent.id });
      expect(await sent.get({ timeout: hangTimeout })).toBe("first");
      expect(fleet.ledger.of(sent.id)).toHaveLength(1);
      await eventually("it is settled", async () => (await fleet.app.engine.queues.counts(["one"]))[0]?.completed === 2);
    });
  });

describe.concurrent("a worker that lives on and has lost its lease", () => {
  it.each(places)("asks its task to end, and its success ends the task, with results $results", async ({ backend }) => {
    await using fleet = openFleet({ backend: await backend() });
    const { app, ledger } = fleet;
    const first = fleet.start("first");
    const sent = await app.sendTask<string>("linger", [60_000, null, "first", 500]);
    await eventually("the first has begun", () => ledger.of(sent.id).length === 1);
    first.signal("SIGSTOP");
    const second = fleet.start("second");
    await eventually("the second has begun", () => ledger.of(sent.id).length === 2);
    first.signal("SIGCONT");
    expect(await sent.get({ timeout: hangTimeout })).toBe("first");
    await second.waitForEntry({ msg: "lease lost: another worker may run this task, or has ended it", id: sent.id });
    ledger.write("may end", sent.id);
    await eventually("both have ended", () => ledger.of(sent.id, "end").length === 2);
    expect(ledger.of(sent.id, "abort").map(({ worker }) => worker)).toEqual(["first", "second"]);
    await Promise.all([first.stop(), second.stop()]);
    expect(await app.asyncResult(sent.id).get()).toBe("first");
    expect(await app.engine.queues.counts(["one"])).toMatchObject([{ waiting: 0, active: 0, completed: 1, failed: 0 }]);
  });

  it("asks its task to end, and its success ends a task without a result", async () => {
    await using fleet = openFleet();
    const { app, ledger } = fleet;
    const first = fleet.start("first");
    const sent = await app.sendTask<string>("linger", [60_000, null, "first", 500], { ignoreResult: true });
    await eventually("the first has begun", () => ledger.of(sent.id).length === 1);
    first.signal("SIGSTOP");
    const second = fleet.start("second");
    await eventually("the second has begun", () => ledger.of(sent.id).length === 2);
    first.signal("SIGCONT");
    await eventually("the task has ended", async () => (await app.engine.queues.counts(["one"]))[0]?.completed === 1);
    await second.waitForEntry({ msg: "lease lost: another worker may run this task, or has ended it", id: sent.id });
    ledger.write("may end", sent.id);
    await Promise.all([first.stop(), second.stop()]);
    expect(await app.engine.queues.counts(["one"])).toMatchObject([{ waiting: 0, active: 0, completed: 1, failed: 0 }]);
  });

  it("cannot fail a task that another runs", async () => {
    await using fleet = openFleet();
    const { app, ledger } = fleet;
    const first = fleet.start("first");
    const sent = await app.sendTask<string>("heed", [2], { maxRetries: 0 });
    await eventually("the first has begun", () => ledger.of(sent.id).length === 1);
    first.signal("SIGSTOP");
    const second = fleet.start("second");
    expect(await sent.get({ timeout: hangTimeout })).toBe("second");
    first.signal("SIGCONT");
    await first.waitForEntry({ msg: "lease lost: another worker may run this task, or has ended it", id: sent.id });
    await Promise.all([first.stop(), second.stop()]);
    expect(await app.asyncResult(sent.id).get()).toBe("second");
  });

  it("repeated: no crash is counted and no failure stored, even if the task fails when it is asked to end", async () => {
    await using fleet = openFleet({ worker: { lease: "1s", scan: "1h" } });
    const { app, ledger, prefix } = fleet;
    const redis = new Redis(redisUrl(), { replyMapping: "legacy" });
    const sent = await app.sendTask<string>("heed", [5]);
    const worker = fleet.start("only");
    const other = app.engine.consume({ queues: [{ name: "one" }], order: "strict", lease: 1000, scan: 100, worker: "other" });
    for (let lost = 1; lost <= 4; lost++) {
      await eventually("it has begun", () => ledger.of(sent.id).length === lost);
      // That its earlier runs have ended is known by then.
      const begun = lost === 1 ? null : ` ${lost} `;
      await eventually(
        "only this run is under way",
        async () => (await redis.hget(`${prefix}:one:${sent.id}`, "startedDeliveries")) === begun,
      );
      worker.signal("SIGSTOP");
      await eventually("it is put back", async () => (await other.recover()) === 1);
      worker.signal("SIGCONT");
    }
    expect(await sent.get({ timeout: hangTimeout })).toBe("only");
    expect(ledger.of(sent.id)).toHaveLength(5);
    await other.close();
    redis.disconnect();
  });
});
