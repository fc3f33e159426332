import { memoryEngine, MovableClock } from "@bullrush/broker";
import { expect, onTestFinished, test } from "vitest";
import { chain, createApp, type App } from "../../src/index.js";

function memoryApp(): App {
  const app = createApp({ broker: "memory://" });
  onTestFinished(() => app.close());
  return app;
}

const waitingIn = async (app: App) => (await app.engine.queues.counts(["default"]))[0]?.waiting;

test("an app on another engine: what it sends goes there, and after that to its own again", async () => {
  const app = memoryApp();
  const own = app.engine;
  await app.sendTask("tasks.any");
  const engine = memoryEngine();
  const giveBack = app.substitute(engine);
  expect(app.engine).toBe(engine);
  expect(await waitingIn(app)).toBe(0);
  giveBack();
  expect(app.engine).toBe(own);
  expect(await waitingIn(app)).toBe(1);
});

test("tasks that are declared while the app is on another engine: their queues stay declared", () => {
  const app = createApp({ broker: "redis://127.0.0.1:1/0" });
  const giveBack = app.substitute(memoryEngine());
  app.task("tasks.mail", { queue: "mail" }, () => undefined);
  expect(app.options.isLocal).toBe(true);
  giveBack();
  expect(app.options).toMatchObject({ isLocal: false, queues: ["default", "mail"] });
  expect(app.options).not.toHaveProperty("engine");
});

test("an app that is closed while it is on another engine: it is open again on its own", async () => {
  const app = memoryApp();
  const giveBack = app.substitute(memoryEngine());
  const result = await app.sendTask("tasks.any");
  await app.close();
  await expect(app.sendTask("tasks.any")).rejects.toMatchObject({ code: "APP_CLOSED" });
  await expect(result.get()).rejects.toMatchObject({ code: "APP_CLOSED" });
  giveBack();
  await app.sendTask("tasks.any");
  expect(await waitingIn(app)).toBe(1);
});

test("an app with other URLs while it is on another engine: INVALID_OPTION", () => {
  const app = createApp({ broker: "redis://127.0.0.1:1/0" });
  const giveBack = app.substitute(memoryEngine());
  expect(() => app.override({ broker: "redis://127.0.0.1:2/0" })).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  giveBack();
});

test("what is told of sendings: the ids of calls and of flows, once they are confirmed, and senders wait for it", async () => {
  const app = memoryApp();
  const told: (readonly string[])[] = [];
  let release = () => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const giveBack = app.substitute(memoryEngine(), async (ids) => {
    told.push(ids);
    await gate;
  });
  onTestFinished(giveBack);
  const add = app.task("tasks.add", (x: number, y: number) => x + y);
  let isSent = false;
  const sent = add.delay(1, 2).then((result) => {
    isSent = true;
    return result;
  });
  await expect.poll(() => told.length).toBe(1);
  expect(isSent).toBe(false);
  release();
  expect(told).toEqual([[(await sent).id]]);
  const results = await app.publishAll([add.s(1, 2), add.s(3, 4)]);
  expect(told[1]).toEqual(results.map(({ id }) => id));
  await chain(add.s(1, 2), add.s(3)).delay();
  expect(told[2]).toHaveLength(1);
  expect(await app.engine.queues.locate([{ id: told[2]?.[0] ?? "", queues: [] }])).toEqual(["waiting"]);
  await expect(app.sendTask("tasks.add", [1n])).rejects.toMatchObject({ code: "ENCODE_ERROR" });
  expect(told).toHaveLength(3);
});

test("an engine with a clock: countdowns and expiry of calls count from its time", async () => {
  const clock = new MovableClock(Date.UTC(2030, 0, 1));
  const app = createApp({ engine: memoryEngine({ clock }) });
  onTestFinished(() => app.close());
  const seen: unknown[] = [];
  app.use({
    name: "look",
    publish: (calls, next) => {
      seen.push(...calls.map(({ eta, expires }) => [eta?.toISOString(), expires?.toISOString()]));
      return next(calls);
    },
  });
  await app.sendTask("tasks.any", [], { countdown: "1h", expires: "2h" });
  await chain(app.signature("tasks.any", [], { countdown: "3h" }), app.signature("tasks.any")).delay();
  expect(seen).toContainEqual(["2030-01-01T01:00:00.000Z", "2030-01-01T02:00:00.000Z"]);
  expect(seen).toContainEqual(["2030-01-01T03:00:00.000Z", undefined]);
});
