import { newId } from "@bullrush/broker";
import { expect, test } from "vitest";
import { hangTimeout } from "../../../../integration/lib/hang-timeout.js";
import { AsyncResult, chain, chord, createApp, group, GroupResult, type ResultData, type App, type Handle } from "../../src/index.js";
import { failing, store, testApp, thrownBy } from "../support.js";

/** A handle behind steps of each kind. */
async function sentBy(app: App) {
  const [one, two] = [app.stub("one"), app.stub("two")];
  const steps = chain(one.s(1), group([two.s(), chain(two.s(), one.s())]), one.s(), chord([two.s(), two.s()], one.s()));
  return (await steps.delay()) as AsyncResult;
}

/** Ids of a handle, of its members and of the steps before it. */
function idsOf(handle: Handle | undefined): unknown {
  if (handle === undefined) return undefined;
  return [handle.id, handle.results?.map(idsOf), idsOf(handle.parent)];
}

test("handle with members and parents: restored from JSON, for chains, groups and chords", async () => {
  const app = testApp();
  const sent = await sentBy(app);
  const restored = app.restoreResult<number>(JSON.stringify(sent));
  expect(restored).toBeInstanceOf(AsyncResult);
  expect(idsOf(restored)).toEqual(idsOf(sent));
  expect(restored.parent).toBeInstanceOf(GroupResult);
  expect(restored.parent?.parent?.parent?.parent).toBeDefined();
  expect(restored.toJSON()).toEqual(sent.toJSON());
  expect(app.restoreResult(sent.toJSON()).toJSON()).toEqual(sent.toJSON());
  await store(app, sent, { state: "SUCCESS", result: 5 });
  expect(await restored.get({ timeout: hangTimeout })).toBe(5);
});

test("group: restored with its members' values; a single call knows its task", async () => {
  const app = testApp();
  const sent = await group([app.stub("one").s(), app.stub("two").s()]).delay();
  const restored = app.restoreResult<[number, number]>(JSON.parse(JSON.stringify(sent)) as ResultData);
  for (const [index, member] of [...sent].entries()) await store(app, member, { state: "SUCCESS", result: index });
  expect(await restored.get({ timeout: hangTimeout })).toEqual([0, 1]);
  const ignoring = await app.stub("one", { ignoreResult: true }).delay();
  expect(await app.restoreResult<number>(ignoring.toJSON()).get({ timeout: hangTimeout })).toBeUndefined();
  expect(ignoring.toJSON()).toEqual({ id: ignoring.id, queues: ["default"], task: "one", ignoreResult: true });
});

test("handle by id alone: looks into all queues after restoring, too", () => {
  const app = testApp();
  const data = app.asyncResult(newId()).toJSON();
  expect(data).toMatchObject({ elsewhere: true });
  expect(app.restoreResult(data).toJSON()).toEqual(data);
});

test("handle after 5,000 steps: restored", async () => {
  const app = testApp();
  let parent: AsyncResult | undefined;
  const data = app.asyncResult(newId()).toJSON();
  const long = { ...data, parents: Array.from({ length: 5000 }, () => app.asyncResult(newId()).toJSON()) };
  let steps = 0;
  for (parent = app.restoreResult<number>(long); parent !== undefined; parent = parent.parent as AsyncResult | undefined) steps++;
  expect(steps).toBe(5001);
});

const id = newId();

test.each([
  ["no JSON", "{"],
  ["another value", "5"],
  ["an id that is none", JSON.stringify({ id: "x", queues: [] })],
  ["no queues", JSON.stringify({ id })],
  ["a member that is none", JSON.stringify({ id, results: [{ id }] })],
  ["steps that are none", JSON.stringify({ id, queues: [], parents: [{ id }] })],
  ["a canvas", JSON.stringify({ type: "call", task: "secret-task", args: ["secret"] })],
])("%s: refused, and not shown", (_, text) => {
  const app = createApp({ broker: "redis://127.0.0.1:1" });
  const error = thrownBy(() => app.restoreResult(text));
  expect(error).toEqual(failing("DECODE_ERROR", { what: "the result that was given to restoreResult()" }));
  expect(String(error)).not.toContain("secret");
});
