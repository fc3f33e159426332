import { newId, redisResultBackend, type ResultBackend, type Transport } from "@bullrush/broker";
import { describe, expect, onTestFinished, test } from "vitest";
import { BullrushError, UnknownTaskError, type App } from "../../src/index.js";
import { ResultWaiter, type Awaited } from "../../src/result/waiter.js";
import { deadUrl, door, eventually, failing, rejected, store, testApp } from "../support.js";

const forever = new AbortController().signal;
const closing = new BullrushError("APP_CLOSED", { app: "test" });

/** A waiter on the backend and the transport of `app`, in some of whose steps a test may put in its own. */
function waiterOn(app: App, { backend = {}, transport = {} }: { backend?: Partial<ResultBackend>; transport?: Partial<Transport> } = {}) {
  const waiter = new ResultWaiter({ ...app.backend, ...backend }, { ...app.transport, ...transport });
  onTestFinished(() => waiter.close(closing));
  return waiter;
}

/** A task that waits in a queue. */
async function sent(app: App, own: boolean): Promise<Awaited> {
  const { id } = await app.sendTask("tasks.a");
  return { id, queues: ["default"], own };
}

const told = (app: App, { id }: Awaited, result: unknown) => store(app, { id, replyTo: app.backend.replyChannel }, { result });

/** The timers of this process, those of vitest included. */
const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

describe("a result that comes", () => {
  test("by notification while a look is under way, which found nothing", async () => {
    const app = testApp();
    const held = door();
    const read = async (ids: readonly string[]) => {
      const records = await app.backend.read(ids);
      await held.pass();
      return records;
    };
    const waiter = waiterOn(app, { backend: { read } });
    const awaited = await sent(app, true);
    const wait = waiter.wait(awaited, forever);
    await held.somebody();
    await told(app, awaited, 7);
    expect(await wait).toMatchObject({ state: "SUCCESS", result: 7 });
    held.open();
  });

  test("as a notification without its record while a look is under way, which found nothing", async () => {
    const app = testApp();
    const held = door();
    let reads = 0;
    const read = async (ids: readonly string[]) => {
      const records = await app.backend.read(ids);
      if (reads++ === 0) await held.pass();
      return records;
    };
    const waiter = waiterOn(app, { backend: { read } });
    const awaited = await sent(app, true);
    const wait = waiter.wait(awaited, forever);
    await held.somebody();
    const large = "x".repeat(20_000);
    await told(app, awaited, large);
    expect(await wait).toMatchObject({ result: large });
    expect(reads).toBe(2);
    held.open();
  });

  test("between a look at the backend and one at the queues", async () => {
    const app = testApp();
    const awaited = await sent(app, false);
    const locate: Transport["locate"] = async (ids) => {
      await store(app, awaited, { result: 7 });
      await app.transport.purge("default");
      return app.transport.locate(ids);
    };
    const waiter = waiterOn(app, { transport: { locate } });
    expect(await waiter.wait(awaited, forever)).toMatchObject({ state: "SUCCESS", result: 7 });
  });

  test("before its wait has subscribed", async () => {
    const app = testApp();
    const held = door();
    const subscribe: ResultBackend["subscribe"] = async (listener) => {
      await held.pass();
      return app.backend.subscribe(listener);
    };
    const waiter = waiterOn(app, { backend: { subscribe } });
    const awaited = await sent(app, true);
    const wait = waiter.wait(awaited, forever);
    await held.somebody();
    await told(app, awaited, 7);
    held.open();
    expect(await wait).toMatchObject({ result: 7 });
  });

  test("for a task that nobody awaits any more is no trouble", async () => {
    const app = testApp();
    const waiter = waiterOn(app);
    const [gone, awaited] = [await sent(app, true), await sent(app, true)];
    const abort = new AbortController();
    const given = rejected(waiter.wait(gone, abort.signal));
    const wait = waiter.wait(awaited, forever);
    abort.abort();
    expect(await given).toBe(abort.signal.reason);
    await told(app, gone, "x".repeat(20_000));
    await told(app, awaited, 7);
    expect(await wait).toMatchObject({ result: 7 });
  });
});

describe("looks", () => {
  test("at one result never pile up, however slow the backend is, nor keep others waiting", async () => {
    const app = testApp();
    const [slow, other] = [await sent(app, false), await sent(app, false)];
    const held = door();
    let looksAtOther = 0;
    const read = async (ids: readonly string[]) => {
      if (ids.includes(slow.id)) await held.pass();
      if (ids.includes(other.id)) looksAtOther++;
      return app.backend.read(ids);
    };
    const waiter = waiterOn(app, { backend: { read } });
    const first = waiter.wait(slow, forever);
    await held.somebody();
    const second = waiter.wait(other, forever);
    await eventually("the other was looked at several times", () => looksAtOther > 3);
    expect(held.came()).toBe(1);
    await store(app, other, { result: 2 });
    expect(await second).toMatchObject({ result: 2 });
    await store(app, slow, { result: 1 });
    held.open();
    expect(await first).toMatchObject({ result: 1 });
  });

  test("whose search in the queues fails go on", async () => {
    const app = testApp();
    let searches = 0;
    const locate: Transport["locate"] = (ids) => (searches++ < 2 ? Promise.reject(new Error("not now")) : app.transport.locate(ids));
    const waiter = waiterOn(app, { transport: { locate } });
    expect(await rejected(waiter.wait({ id: newId(), queues: ["default"], own: false }, forever))).toBeInstanceOf(UnknownTaskError);
    expect(searches).toBe(3);
  });

  test("that fail end the waits that they were for, not those that begin later", async () => {
    const app = testApp();
    const error = new Error("not now");
    let failing = true;
    const read: ResultBackend["read"] = (ids) => (failing ? Promise.reject(error) : app.backend.read(ids));
    const waiter = waiterOn(app, { backend: { read } });
    const awaited = await sent(app, false);
    expect(await Promise.all([rejected(waiter.wait(awaited, forever)), rejected(waiter.wait(awaited, forever))])).toEqual([error, error]);
    failing = false;
    const wait = waiter.wait(awaited, forever);
    await store(app, awaited, { result: 7 });
    expect(await wait).toMatchObject({ result: 7 });
  });

  test("end with the last wait", async () => {
    const app = testApp();
    let reads = 0;
    const read: ResultBackend["read"] = (ids) => (reads++, app.backend.read(ids));
    const waiter = waiterOn(app, { backend: { read } });
    const awaited = await sent(app, true);
    const before = timers();
    const abort = new AbortController();
    const wait = rejected(waiter.wait(awaited, abort.signal));
    await eventually("the next look is due much later", () => reads === 1 && timers() > before);
    abort.abort();
    await wait;
    await eventually("no timer is left", () => timers() <= before, 1000);
  });
});

describe("a subscription that fails", () => {
  test("ends the wait, and is tried again for the next", async () => {
    const app = testApp();
    const backend = redisResultBackend({ location: await deadUrl(), deadline: 100 });
    onTestFinished(() => backend.close());
    let fails = true;
    const subscribe: ResultBackend["subscribe"] = (listener) => (fails ? backend : app.backend).subscribe(listener);
    const waiter = waiterOn(app, { backend: { subscribe } });
    const awaited = await sent(app, true);
    const unavailable = failing("RESULT_BACKEND_UNAVAILABLE");
    expect(await rejected(waiter.wait(awaited, forever))).toEqual(unavailable);
    expect(await rejected(waiter.wait(awaited, forever))).toEqual(unavailable);
    fails = false;
    const wait = waiter.wait(awaited, forever);
    await told(app, awaited, 7);
    expect(await wait).toMatchObject({ result: 7 });
  });

  test("does not keep a wait that is given up meanwhile", async () => {
    const app = testApp();
    const held = door();
    const subscribe: ResultBackend["subscribe"] = async (listener) => {
      await held.pass();
      return app.backend.subscribe(listener);
    };
    const waiter = waiterOn(app, { backend: { subscribe } });
    const [gone, awaited] = [await sent(app, true), await sent(app, true)];
    const abort = new AbortController();
    const given = rejected(waiter.wait(gone, abort.signal));
    const wait = waiter.wait(awaited, forever);
    await held.somebody();
    abort.abort();
    expect(await given).toBe(abort.signal.reason);
    held.open();
    await told(app, awaited, 7);
    expect(await wait).toMatchObject({ result: 7 });
    expect(held.came()).toBe(1);
  });
});

describe("closing", () => {
  test("ends those that wait, whatever they are at, and those that come later", async () => {
    const app = testApp();
    const [subscribing, looking] = [door(), door()];
    const subscribe: ResultBackend["subscribe"] = async (listener) => {
      await subscribing.pass();
      return app.backend.subscribe(listener);
    };
    const read: ResultBackend["read"] = async (ids) => {
      await looking.pass();
      return app.backend.read(ids);
    };
    const waiter = waiterOn(app, { backend: { subscribe, read } });
    const before = timers();
    const waits = [rejected(waiter.wait(await sent(app, true), forever)), rejected(waiter.wait(await sent(app, false), forever))];
    await subscribing.somebody();
    await looking.somebody();
    waiter.close(closing);
    expect(await Promise.all(waits)).toEqual([closing, closing]);
    expect(await rejected(waiter.wait(await sent(app, true), forever))).toBe(closing);
    subscribing.open();
    looking.open();
    await eventually("no timer is left", () => timers() <= before);
  });
});
