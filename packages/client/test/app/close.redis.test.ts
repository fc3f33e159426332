import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { createApp, group } from "../../src/index.js";
import { redis } from "../redis.js";
import { deadUrl, failing, openGate, rejected, subscriptionsOf, take, testApp, thrownBy } from "../support.js";

/** The sockets that were opened in this process since the file began, and are not closed. */
const sockets = new Set<Socket>();

function note(message: unknown): void {
  const { socket } = message as { readonly socket: Socket };
  sockets.add(socket);
  socket.once("close", () => sockets.delete(socket));
}

beforeAll(() => subscribe("net.client.socket", note));
afterAll(() => void unsubscribe("net.client.socket", note));

/** The timers that keep this process, and its sockets, also those that do not keep it. */
const open = () => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length + sockets.size;

describe("closed app", () => {
  test("calls that need a connection: refused; direct calls: run here as before", async () => {
    const app = testApp({ name: "shop" });
    const add = app.task("tasks.add", (x: number) => x + 1);
    const re = await add.delay(1);
    await app.close();
    const closed = failing("APP_CLOSED", { app: "shop" });
    await expect(add.delay(1)).rejects.toEqual(closed);
    await expect(app.sendTask("tasks.add", [1])).rejects.toEqual(closed);
    await expect(re.get()).rejects.toEqual(closed);
    await expect(re.status()).rejects.toEqual(closed);
    await expect(re.forget()).rejects.toEqual(closed);
    expect(thrownBy(() => app.engine)).toEqual(closed);
    expect(thrownBy(() => app.engine.results)).toEqual(closed);
    expect(add(1)).toBe(2);
  });

  test("close() twice, or before any connection: resolves", async () => {
    const app = testApp();
    await app.close();
    await app.close();
    const used = testApp();
    await used.sendTask("tasks.a");
    await Promise.all([used.close(), used.close()]);
    await used.close();
  });

  test("await using: closed at the end of the scope", async () => {
    const app = testApp();
    await app.sendTask("tasks.a");
    await app[Symbol.asyncDispose]();
    await expect(app.sendTask("tasks.a")).rejects.toEqual(failing("APP_CLOSED"));
  });
});

describe("close()", () => {
  test("calls without await: close waits for them", async () => {
    const app = testApp();
    const calls = [
      app.sendTask("tasks.a"),
      app.sendTask("tasks.a", [], { priority: 3 }),
      app.publishAll([app.signature("tasks.a"), app.signature("tasks.a")]),
      group(app.signature("tasks.a"), app.signature("tasks.a")).delay(),
      app.sendTask("tasks.a", [], { link: [app.signature("tasks.b")] }),
    ];
    await Promise.all([app.close(), app.close()]);
    await Promise.all(calls);
    const key = `${app.options.prefix}:default`;
    const url = inject("redisUrl");
    expect([await redis(url, "LLEN", `${key}:wait`), await redis(url, "ZCARD", `${key}:prioritized`)]).toEqual([6, 1]);
  });

  test("call after close: close does not wait for it", async () => {
    const app = testApp();
    const call = app.sendTask("tasks.a");
    const closed = app.close();
    await expect(app.sendTask("tasks.a")).rejects.toEqual(failing("APP_CLOSED"));
    await closed;
    await call;
  });
});

describe("close() leaves no timer and no socket", () => {
  beforeEach(() => eventually("the sockets of other tests are closed", () => sockets.size === 0));

  test("after calls and results", async () => {
    const before = open();
    const app = testApp();
    const re = await app.sendTask("tasks.a");
    const get = re.get({ timeout: "1m" });
    const { end } = await take(app);
    await end({ type: "succeeded", result: "1" }, { result: 1 });
    expect(await get).toBe(1);
    expect(open()).toBeGreaterThan(before);
    await app.close();
    await eventually("nothing is left", () => open() <= before);
  });

  test("while results are awaited, which reject at once", async () => {
    const before = open();
    const app = testApp();
    const re = await app.sendTask("tasks.a");
    const other = await app.sendTask("tasks.a");
    const gets = [re.get(), re.get({ timeout: "1h" }), other.get({ propagate: false }), app.asyncResult(other.id).get()].map(rejected);
    await eventually("they are subscribed to", async () => (await subscriptionsOf(inject("redisUrl"), app)) === 1);
    await app.close();
    expect(await Promise.all(gets)).toEqual(gets.map(() => failing("APP_CLOSED")));
    await eventually("nothing is left", () => open() <= before);
  });

  test("while the client subscribes to its results", async () => {
    const before = open();
    const app = testApp();
    const re = await app.sendTask("tasks.a");
    const get = rejected(re.get({ timeout: "1h" }));
    await app.close();
    expect(await get).toEqual(failing("APP_CLOSED"));
    await eventually("nothing is left", () => open() <= before);
  });

  test("while Redis does not answer", async () => {
    const before = open();
    const gate = await openGate(inject("redisUrl"));
    const app = testApp({ broker: gate.url, publishTimeout: "10m" });
    const re = await app.sendTask("tasks.a");
    gate.block();
    const get = rejected(re.get());
    const call = rejected(app.sendTask("tasks.a"));
    await app.close();
    expect(await get).toEqual(failing("APP_CLOSED"));
    expect(await call).toEqual(failing("BROKER_UNAVAILABLE"));
    gate.cut();
    // The gate's own server stays until the test has ended.
    await eventually("nothing is left", () => open() <= before);
  });

  test("while Redis cannot be reached", async () => {
    const before = open();
    const app = createApp({ broker: deadUrl });
    const call = rejected(app.sendTask("tasks.a"));
    const status = rejected(app.asyncResult("0b5a7a10-1111-4222-8333-abcdefabcdef").status());
    await app.close();
    expect(await call).toEqual(failing("BROKER_UNAVAILABLE"));
    expect(await status).toEqual(failing("RESULT_BACKEND_UNAVAILABLE"));
    await eventually("nothing is left", () => open() <= before);
  });
});
