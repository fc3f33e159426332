import { newId, redisResultBackend, systemTiming, type Queues, type Results, type TaskRecord, type Timing } from "@bullrush/broker";
import { describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { BullrushError, UnknownTaskError, type App } from "../../src/index.js";
import type { AwaitedResult } from "../../src/result/awaited-result.js";
import { ResultWaiter } from "../../src/result/waiter.js";
import { deadUrl, door, rejected, store, testApp } from "../support.js";

const closing = new BullrushError("APP_CLOSED", { app: "test" });

/**
 * A waiter on the backend and the engine of `app`, in some of whose steps a test may put in its
 * own.
 */
function waiterOn(app: App, { results = {}, queues = {} }: { results?: Partial<Results>; queues?: Partial<Queues> } = {}, timing?: Timing) {
  const waiter = new ResultWaiter({ ...app.engine.results, ...results }, { ...app.engine.queues, ...queues }, timing);
  onTestFinished(() => waiter.close(closing));
  return waiter;
}

/** A wait as a promise. */
function waitOn(waiter: ResultWaiter, awaited: AwaitedResult) {
  let giveUp: (reason: unknown) => void = () => undefined;
  const ended = new Promise<TaskRecord>((resolve, reject) => {
    const stop = waiter.watch(awaited, { onEnd: resolve, onError: reject });
    giveUp = (reason) => {
      stop();
      reject(reason as Error);
    };
  });
  return { ended, giveUp };
}

/** A task that waits in a queue. */
async function sent(app: App, own: boolean): Promise<AwaitedResult> {
  const { id } = await app.sendTask("tasks.a");
  return { id, queues: ["default"], own };
}

const told = (app: App, { id }: AwaitedResult, result: unknown) => store(app, { id, replyTo: app.engine.results.replyChannel }, { result });

/** The timers of this process, those of vitest included. */
const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

/** A clock that stands still, on which only timers that are due at once fire. */
const stopped: Timing = { now: () => 0, setTimer: (ring, delay) => systemTiming.setTimer(ring, delay === 0 ? 0 : 60_000) };

describe("result that comes", () => {
  test("notification during a look that found nothing: taken", async () => {
    const app = testApp();
    const held = door();
    const read = async (ids: readonly string[]) => {
      const records = await app.engine.results.read(ids);
      await held.pass();
      return records;
    };
    const waiter = waiterOn(app, { results: { read } });
    const awaited = await sent(app, true);
    const wait = waitOn(waiter, awaited).ended;
    await held.somebody();
    await told(app, awaited, 7);
    expect(await wait).toMatchObject({ state: "SUCCESS", result: 7 });
    held.open();
  });

  test("notification without its record during a look that found nothing: the record is read", async () => {
    const app = testApp();
    const held = door();
    let reads = 0;
    const read = async (ids: readonly string[]) => {
      const records = await app.engine.results.read(ids);
      if (reads++ === 0) await held.pass();
      return records;
    };
    const waiter = waiterOn(app, { results: { read } });
    const awaited = await sent(app, true);
    const wait = waitOn(waiter, awaited).ended;
    await held.somebody();
    const large = "x".repeat(20_000);
    await told(app, awaited, large);
    expect(await wait).toMatchObject({ result: large });
    expect(reads).toBe(2);
    held.open();
  });

  test("between a look at the backend and one at the queues: found", async () => {
    const app = testApp();
    const awaited = await sent(app, false);
    const locate: Queues["locate"] = async (ids) => {
      await store(app, awaited, { result: 7 });
      await app.engine.queues.purge("default");
      return app.engine.queues.locate(ids);
    };
    const waiter = waiterOn(app, { queues: { locate } });
    expect(await waitOn(waiter, awaited).ended).toMatchObject({ state: "SUCCESS", result: 7 });
  });

  test("before its wait has subscribed: found", async () => {
    const app = testApp();
    const held = door();
    const subscribe: Results["subscribe"] = async (listener) => {
      await held.pass();
      return app.engine.results.subscribe(listener);
    };
    const waiter = waiterOn(app, { results: { subscribe } });
    const awaited = await sent(app, true);
    const wait = waitOn(waiter, awaited).ended;
    await held.somebody();
    await told(app, awaited, 7);
    held.open();
    expect(await wait).toMatchObject({ result: 7 });
  });

  test("for a task that nobody awaits any more: ignored", async () => {
    const app = testApp();
    const waiter = waiterOn(app);
    const [gone, awaited] = [await sent(app, true), await sent(app, true)];
    const first = waitOn(waiter, gone);
    const given = rejected(first.ended);
    const wait = waitOn(waiter, awaited).ended;
    first.giveUp(closing);
    expect(await given).toBe(closing);
    await told(app, gone, "x".repeat(20_000));
    await told(app, awaited, 7);
    expect(await wait).toMatchObject({ result: 7 });
  });
});

describe("looks", () => {
  test("slow backend: looks at one result never pile up, nor hold up others", async () => {
    const app = testApp();
    const [slow, other] = [await sent(app, false), await sent(app, false)];
    const held = door();
    let looksAtOther = 0;
    const read = async (ids: readonly string[]) => {
      if (ids.includes(slow.id)) await held.pass();
      if (ids.includes(other.id)) looksAtOther++;
      return app.engine.results.read(ids);
    };
    const waiter = waiterOn(app, { results: { read } });
    const first = waitOn(waiter, slow).ended;
    await held.somebody();
    const second = waitOn(waiter, other).ended;
    await eventually("the other was looked at several times", () => looksAtOther > 3);
    expect(held.came()).toBe(1);
    await store(app, other, { result: 2 });
    expect(await second).toMatchObject({ result: 2 });
    await store(app, slow, { result: 1 });
    held.open();
    expect(await first).toMatchObject({ result: 1 });
  });

  test("search in the queues fails: looks continue", async () => {
    const app = testApp();
    let searches = 0;
    const locate: Queues["locate"] = (ids) => (searches++ < 2 ? Promise.reject(new Error("not now")) : app.engine.queues.locate(ids));
    const waiter = waiterOn(app, { queues: { locate } });
    expect(await rejected(waitOn(waiter, { id: newId(), queues: ["default"], own: false }).ended)).toBeInstanceOf(UnknownTaskError);
    // A slow search may be overtaken by the next.
    expect(searches).toBeGreaterThanOrEqual(3);
  });

  test("a look fails: ends the waits it was for, not those that begin later", async () => {
    const app = testApp();
    const error = new Error("not now");
    let failing = true;
    const read: Results["read"] = (ids) => (failing ? Promise.reject(error) : app.engine.results.read(ids));
    const waiter = waiterOn(app, { results: { read } });
    const awaited = await sent(app, false);
    expect(await Promise.all([rejected(waitOn(waiter, awaited).ended), rejected(waitOn(waiter, awaited).ended)])).toEqual([error, error]);
    failing = false;
    const wait = waitOn(waiter, awaited).ended;
    await store(app, awaited, { result: 7 });
    expect(await wait).toMatchObject({ result: 7 });
  });

  test("last wait ends: no further looks", async () => {
    const app = testApp();
    const later: NodeJS.Timeout[] = [];
    const setTimer: Timing["setTimer"] = (ring, delay) => {
      const timer = stopped.setTimer(ring, delay);
      if (delay > 0) later.push(timer);
      return timer;
    };
    const waiter = waiterOn(app, {}, { ...stopped, setTimer });
    const { ended, giveUp } = waitOn(waiter, await sent(app, true));
    const wait = rejected(ended);
    await eventually("the next look is due later", () => later.length === 1);
    const keepsAlive = () => later.map((timer) => timer.hasRef());
    expect(keepsAlive()).toEqual([true]);
    giveUp(closing);
    await wait;
    expect(keepsAlive()).toEqual([false]);
  });
});

describe("task that was just sent, with no notification missed", () => {
  /** A waiter that is subscribed, and how often it looked. */
  async function subscribed(app: App, timing?: Timing) {
    let reads = 0;
    const read: Results["read"] = async (ids) => {
      const records = await app.engine.results.read(ids);
      reads++;
      return records;
    };
    const waiter = waiterOn(app, { results: { read } }, timing);
    const first = await sent(app, true);
    const wait = waitOn(waiter, first);
    await eventually("the first look found nothing", () => reads === 1);
    await told(app, first, 0);
    await wait.ended;
    return { waiter, reads: () => reads };
  }

  test("no look before its notification is due", async () => {
    const app = testApp();
    const { waiter, reads } = await subscribed(app, stopped);
    const before = reads();
    const awaited = { ...(await sent(app, true)), missed: waiter.missed };
    const { ended } = waitOn(waiter, awaited);
    await told(app, awaited, 7);
    expect(await ended).toMatchObject({ result: 7 });
    expect(reads()).toBe(before);
  });

  test("notification that does not come: a look soon", async () => {
    const app = testApp();
    const { waiter } = await subscribed(app);
    const awaited = { ...(await sent(app, true)), missed: waiter.missed };
    await store(app, { id: awaited.id }, { result: 7 });
    expect(await waitOn(waiter, awaited).ended).toMatchObject({ result: 7 });
  });

  test("notification missed since: a look at once", async () => {
    const app = testApp();
    const { waiter } = await subscribed(app, stopped);
    const awaited = { ...(await sent(app, true)), missed: waiter.missed };
    await told(app, awaited, 7);
    await eventually("the news was missed", () => waiter.missed === 1);
    expect(await waitOn(waiter, awaited).ended).toMatchObject({ result: 7 });
  });

  test("no timer of its own", async () => {
    const app = testApp();
    let set = 0;
    const setTimer: Timing["setTimer"] = (ring, delay) => (set++, stopped.setTimer(ring, delay));
    const { waiter } = await subscribed(app, { ...stopped, setTimer });
    const before = set;
    for (let round = 0; round < 3; round++) {
      const many = Array.from({ length: 100 }, () => ({ id: newId(), queues: ["default"], own: true, missed: waiter.missed }));
      const waits = many.map((awaited) => waitOn(waiter, awaited).ended);
      await Promise.all(many.map((awaited) => told(app, awaited, 7)));
      await Promise.all(waits);
    }
    expect(set - before).toBeLessThanOrEqual(1);
  });
});

describe("wait of a minute", () => {
  test.each([
    ["that is told of the result", true, { reads: 10, locates: 4 }],
    ["that is not", false, { reads: 22, locates: 6 }],
  ])("%s: few looks at the result, and fewer at the queues", async (_, own, most) => {
    const app = testApp();
    const seen = { reads: 0, locates: 0 };
    const read: Results["read"] = (ids) => (seen.reads++, app.engine.results.read(ids));
    const locate: Queues["locate"] = (ids) => (seen.locates++, app.engine.queues.locate(ids));
    let now = 0;
    const alarms = new Map<NodeJS.Timeout, { readonly ring: () => void; readonly at: number }>();
    const setTimer: Timing["setTimer"] = (ring, delay) => {
      const timer = systemTiming.setTimer(() => undefined, 60_000);
      alarms.set(timer, { ring, at: now + delay });
      return timer;
    };
    onTestFinished(() => alarms.forEach((_alarm, timer) => clearTimeout(timer)));
    const waiter = waiterOn(app, { results: { read }, queues: { locate } }, { now: () => now, setTimer });
    const { giveUp, ended } = waitOn(waiter, await sent(app, own));
    while (now < 60_000) {
      await eventually("the next look is planned", () => alarms.size > 0);
      const [[timer, { ring, at }]] = [...alarms] as [[NodeJS.Timeout, { readonly ring: () => void; readonly at: number }]];
      alarms.delete(timer);
      clearTimeout(timer);
      now = Math.max(now, at);
      ring();
    }
    giveUp(closing);
    await rejected(ended);
    expect(seen.reads).toBeLessThanOrEqual(most.reads);
    expect(seen.reads).toBeGreaterThan(5);
    expect(seen.locates).toBeLessThanOrEqual(most.locates);
    expect(seen.locates).toBeGreaterThan(0);
  });

  test("subscription that was down for a while: a look at once", async () => {
    const app = testApp();
    let deaf: (() => void) | undefined;
    const subscribe: Results["subscribe"] = (listener, onGap) => {
      deaf = onGap;
      return app.engine.results.subscribe(listener);
    };
    let reads = 0;
    const read: Results["read"] = (ids) => (reads++, app.engine.results.read(ids));
    const waiter = waiterOn(app, { results: { subscribe, read } }, stopped);
    const awaited = await sent(app, true);
    const { ended } = waitOn(waiter, awaited);
    await eventually("the first look", () => reads === 1);
    // Nobody is told.
    await store(app, { id: awaited.id }, { result: 7 });
    deaf?.();
    expect(await ended).toMatchObject({ result: 7 });
  });
});

describe("subscription that fails", () => {
  test("Redis cannot be reached: ends no wait, and is tried again", async () => {
    const app = testApp();
    const backend = redisResultBackend({ location: deadUrl, deadline: 100 });
    onTestFinished(() => backend.close());
    let fails = true;
    let tries = 0;
    const subscribe: Results["subscribe"] = (listener) => (tries++, (fails ? backend : app.engine.results).subscribe(listener));
    const waiter = waiterOn(app, { results: { subscribe } });
    const awaited = await sent(app, true);
    const waits = [waitOn(waiter, awaited), waitOn(waiter, awaited)];
    await eventually("several tries", () => tries > 2);
    fails = false;
    await eventually("it is subscribed", () => waiter.missed !== undefined);
    await told(app, awaited, 7);
    for (const { ended } of waits) expect(await ended).toMatchObject({ result: 7 });
  });

  test("wait that is given up meanwhile: not held up", async () => {
    const app = testApp();
    const held = door();
    const subscribe: Results["subscribe"] = async (listener) => {
      await held.pass();
      return app.engine.results.subscribe(listener);
    };
    const waiter = waiterOn(app, { results: { subscribe } });
    const [gone, awaited] = [await sent(app, true), await sent(app, true)];
    const first = waitOn(waiter, gone);
    const given = rejected(first.ended);
    const wait = waitOn(waiter, awaited).ended;
    await held.somebody();
    first.giveUp(closing);
    expect(await given).toBe(closing);
    held.open();
    await told(app, awaited, 7);
    expect(await wait).toMatchObject({ result: 7 });
    expect(held.came()).toBe(1);
  });
});

describe("close", () => {
  test("ends current waits, whatever their step, and later ones", async () => {
    const app = testApp();
    const [subscribing, looking] = [door(), door()];
    const subscribe: Results["subscribe"] = async (listener) => {
      await subscribing.pass();
      return app.engine.results.subscribe(listener);
    };
    const read: Results["read"] = async (ids) => {
      await looking.pass();
      return app.engine.results.read(ids);
    };
    const waiter = waiterOn(app, { results: { subscribe, read } });
    // The subscription, which stays, has a timer of its own.
    await app.engine.results.subscribe(() => undefined);
    const before = timers();
    const waits = [rejected(waitOn(waiter, await sent(app, true)).ended), rejected(waitOn(waiter, await sent(app, false)).ended)];
    await subscribing.somebody();
    await looking.somebody();
    waiter.close(closing);
    expect(await Promise.all(waits)).toEqual([closing, closing]);
    expect(await rejected(waitOn(waiter, await sent(app, true)).ended)).toBe(closing);
    subscribing.open();
    looking.open();
    await eventually("no timer is left", () => timers() <= before);
  });
});
