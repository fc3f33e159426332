import { chain, group, type App, type AsyncResult, type GroupResult, type Task } from "@bullrush/client";
import { describe, expect, it } from "vitest";
import { openFleet } from "../lib/fleet.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { long } from "../lib/long.js";
import { places } from "../lib/places.js";
import { openProxy, type Proxy } from "../lib/proxy.js";
import { eventually } from "../lib/eventually.js";
import { serverBinary, startServer } from "../lib/server.js";
import { redisUrl } from "../lib/redis-url.js";
import { expectEnded, expectNothingLeft } from "./left.js";
import { mix } from "./value-of.js";

/** A step, two members that get its value, and a body. */
async function send(app: App) {
  const task = app.stub<Task<unknown[], string>>("mix");
  const body = await chain(task.si(1), group([task.s(2), task.s(3)]), task.s(4)).delay();
  const members = body.parent as GroupResult;
  const [first, last] = members.results as readonly [AsyncResult, AsyncResult];
  const step = members.parent as AsyncResult;
  return { body, calls: { "the step": step, "the first member": first, "the last member": last, "the body": body } };
}

const value = mix([mix(mix(1), 2), mix(mix(1), 3)], 4);

/**
 * An argument of a command by itself: the id of a flow stands in many that say something of its
 * calls.
 */
const argument = (id: string) => `\r\n${id}\r\n`;

/**
 * Where a worker is killed, once `id` has got that far; the broker is reached through `proxy`.
 * Resolves when it has.
 */
type Failpoint = (proxy: Proxy, id: string, hasEnded: () => boolean, isStored: () => Promise<boolean>) => Promise<void>;

/**
 * Holds what the worker says of the call once its body has ended. On a busy machine it may have to
 * renew the lease before.
 */
async function holdAfterBody(proxy: Proxy, id: string, hasEnded: () => boolean): Promise<void> {
  for (;;) {
    const hold = proxy.hold(argument(id));
    await hold.held;
    if (hasEnded()) return;
    hold.letGo();
  }
}

const failpoints: Readonly<Record<string, Failpoint>> = {
  "after its body, with its result stored where that is a call of its own": holdAfterBody,
  "after its result is stored, before it goes on": async (proxy, id, hasEnded, isStored) => {
    await holdAfterBody(proxy, id, hasEnded);
    await eventually("its result is stored", isStored);
  },
  "after it has gone on and is settled, before the worker knows": async (proxy, id) => {
    await proxy.loseReply(argument(id));
  },
};

const [here, elsewhere = here] = [places[0], places.at(-1)];

describe.concurrent("a worker that is killed", () => {
  const steps = ["the step", "the first member", "the last member", "the body"] as const;
  const scenes = Object.keys(failpoints).flatMap((failpoint, row) =>
    steps.flatMap((call, column) => {
      // Along with the settlement there is nothing between the two.
      const apart = failpoint.includes("before it goes on");
      const both = apart ? [elsewhere!] : [here!, elsewhere!];
      const tried = long || apart ? both : [both[((row >> 1) + column) % 2]!];
      return tried.map((place) => ({ failpoint, call, ...place }));
    }),
  );

  it.each(scenes)("$failpoint, at $call: the same result, the body once, results $results", async ({ failpoint, call, backend }) => {
    await using fleet = openFleet({ backend: await backend(), worker: { lease: "1s", scan: "100ms", concurrency: 1 } });
    await using proxy = await openProxy(redisUrl());
    const { app, ledger } = fleet;
    const { body, calls } = await send(app);
    const { id } = calls[call];
    const hasEnded = () => ledger.of(id, "end").length === 1;
    const reached = failpoints[failpoint]!(proxy, id, hasEnded, () => calls[call].ready());
    const first = fleet.start("first", { broker: proxy.url, lease: "3s" });
    await reached;
    await eventually("its body has ended", hasEnded);
    await first.kill();
    fleet.start("second");
    expect(await body.get({ timeout: hangTimeout })).toBe(value);
    await expectNothingLeft(fleet);
    // Only what was under way may run again.
    for (const other of Object.values(calls)) expect(other.id === id ? [1, 2] : [1]).toContain(ledger.of(other.id).length);
    await expectEnded(
      fleet,
      Object.values(calls).map((one) => one.id),
    );
  });
});

describe.skipIf(serverBinary === undefined)("worker stopped beyond its lease, between body and store", () => {
  it("overtaken: every continuation is sent once, for the result that stays", async () => {
    await using backend = await startServer();
    await using proxy = await openProxy(backend.url());
    await using fleet = openFleet({ backend: backend.url(), worker: { lease: "1s", scan: "100ms" } });
    const { app, ledger } = fleet;
    const linger = app.stub<Task<[number, number | null, string], string>>("linger");
    const mixed = app.stub<Task<unknown[], string>>("mix");
    const first = fleet.start("first", { backend: proxy.url });
    // From now on the backend knows the script, so that one packet stores.
    await (await mixed.delay(0)).get({ timeout: hangTimeout });
    const end = await chain(linger.si(0, 0, "first"), mixed.s()).delay();
    const { id } = end.parent as AsyncResult;
    const hold = proxy.hold(argument(id));
    await hold.held;
    first.signal("SIGSTOP");
    const second = fleet.start("second");
    expect(await end.get({ timeout: hangTimeout })).toBe(mix("second"));
    hold.letGo();
    first.signal("SIGCONT");
    await first.waitForEntry({ msg: "this run does not count: its lease was lost, and another run of the task has ended it, or will", id });
    await Promise.all([first.stop(), second.stop()]);
    expect(ledger.of(end.id)).toHaveLength(1);
    expect(await end.get()).toBe(mix("second"));
    expect(await app.asyncResult(id).get()).toBe("second");
    await expectNothingLeft(fleet);
  });
});
