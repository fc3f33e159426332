import { systemTiming, type StoreRequest, type Timing } from "@bullrush/broker";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { PendingRecords } from "../../src/app/pending.js";
import { contentOf } from "../../src/canvas/content.js";
import { planOf } from "../../src/canvas/planner.js";
import { chain, type AnyCanvas, type App } from "../../src/index.js";
import { testApp } from "../support.js";

/**
 * An app whose flows nobody keeps, and whose backend refuses the first `times` that something is to
 * be stored.
 */
function prepare(times: number) {
  const app = testApp();
  const asked = { times: 0 };
  const store = app.engine.results.store.bind(app.engine.results);
  Object.assign(app.engine.flows, { begin: async () => undefined });
  Object.assign(app.engine.results, {
    store: async (requests: readonly StoreRequest[]) => {
      if (++asked.times <= times) throw new Error("away");
      return store(requests);
    },
  });
  return { app, asked, canvas: chain(app.signature("a"), app.signature("b")) };
}

/** Timers that fire when the test says so. */
function byHand() {
  const rings: { readonly ring: () => void; readonly timer: NodeJS.Timeout }[] = [];
  const setTimer = (ring: () => void, delay: number) => {
    const timer = setTimeout(() => undefined, delay * 1000);
    rings.push({ ring, timer });
    return timer;
  };
  onTestFinished(() => rings.forEach(({ timer }) => clearTimeout(timer)));
  const timing: Timing = { ...systemTiming, setTimer };
  return { timing, rings };
}

const stateOf = async (app: App, id: string) => (await app.engine.results.read([id]))[0]?.state;

test("records that cannot be stored when a flow begins: stored later, and the caller has its handle", async () => {
  const { app, canvas } = prepare(1);
  const { id } = await canvas.delay();
  expect(await stateOf(app, id)).toBeUndefined();
  await eventually("it is PENDING", async () => (await stateOf(app, id)) === "PENDING");
});

const planIn = (app: App, canvas: AnyCanvas) => planOf(contentOf(canvas, "it").node, app.options.router);

test("records that cannot be stored at all: tried for a minute, without keeping the process alive", async () => {
  const { app, asked, canvas } = prepare(Infinity);
  const { timing, rings } = byHand();
  await new PendingRecords(timing).keep(planIn(app, canvas), app.engine.results);
  for (let tried = 1; tried <= 60; tried++) {
    await eventually("it is to be tried again", () => rings.length === tried);
    expect(rings.at(-1)?.timer.hasRef()).toBe(false);
    rings.at(-1)?.ring();
  }
  await eventually("it was tried again", () => asked.times === 61);
  expect(rings).toHaveLength(60);
});

test("app closed meanwhile: no further tries", async () => {
  const { app, asked, canvas } = prepare(Infinity);
  const { timing, rings } = byHand();
  const pending = new PendingRecords(timing);
  await pending.keep(planIn(app, canvas), app.engine.results);
  pending.close();
  await pending.keep(planIn(app, canvas), app.engine.results);
  expect(asked.times).toBe(2);
  expect(rings).toHaveLength(1);
  expect(rings[0]?.timer).toMatchObject({ _destroyed: true });
});
