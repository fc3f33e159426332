import { additionId, BullrushError, newId } from "@bullrush/broker";
import { chain, chord, createApp, group, type AsyncResult, type Signature, type TaskContext } from "@bullrush/client";
import { pino } from "pino";
import { beforeEach, expect, inject, it, onTestFinished } from "vitest";
import { hangTimeout } from "../../../integration/lib/hang-timeout.js";
import { until } from "../../../integration/lib/until.js";
import { createWorker } from "../src/index.js";

/** An app with a worker that runs. */
async function open() {
  const app = createApp({
    broker: inject("redisUrl"),
    prefix: newId(),
    queues: ["default", ...["other", "third"].map((name) => ({ name, exchange: { name: "all", type: "fanout" } as const }))],
  });
  const worker = createWorker(app, { log: pino({ level: "silent" }) });
  onTestFinished(async () => {
    await worker.stop(AbortSignal.abort());
    await app.close();
  });
  const give = app.task("give", (value: unknown) => value);
  const list = app.task("list", (values: readonly unknown[]) => values);
  /** What the next `adds` does, with its own context. */
  const scene: { act: (context: TaskContext) => Promise<unknown> } = { act: () => Promise.resolve() };
  const adds = app.task("adds", function (_before?: unknown) {
    return scene.act(this);
  });
  const swaps = app.task("swaps", function (): unknown {
    return this.replace(adds.s());
  });
  await worker.start();
  return { app, give, list, adds, swaps, scene };
}

let on: Awaited<ReturnType<typeof open>>;

beforeEach(async () => {
  on = await open();
});

const timeout = { timeout: hangTimeout } as const;

/** Adds a member that gives "added", and comes to "own". */
const adding = (signature?: () => Signature) => async (context: TaskContext) => {
  await context.addToChord(signature === undefined ? on.give.s("added") : signature());
  return "own";
};

it("a member of a group in a chain adds to what the next step gets", async () => {
  const { give, list, adds, scene } = on;
  scene.act = adding();
  const sent = await chain(give.s(0), group(adds.s(), give.si(1)), list.s(), give.s()).delay();
  expect(await sent.get(timeout)).toEqual(["own", 1, "added"]);
});

it("the last step of a member that is a chain adds, the steps before it cannot", async () => {
  const { give, list, adds, scene } = on;
  scene.act = adding();
  expect(await (await chord([chain(give.s(0), adds.s())], list.s()).delay()).get(timeout)).toEqual(["own", "added"]);
  const sent = await chord([chain(adds.s(), give.s())], list.s()).delay();
  await expect(sent.get(timeout)).rejects.toMatchObject({ cause: { code: "CHORD_FAILED", cause: { code: "ADD_TO_CHORD_UNSUPPORTED" } } });
});

it("a member of a group within a group adds to its own", async () => {
  const { give, list, adds, scene } = on;
  scene.act = adding();
  const sent = await chord([group(adds.s(), give.s(1)), give.s(2)], list.s()).delay();
  expect(await sent.get(timeout)).toEqual([["own", 1, "added"], 2]);
});

it("what runs in the place of a member adds to the member's group", async () => {
  const { list, swaps, scene } = on;
  scene.act = adding();
  expect(await (await chord([swaps.s()], list.s()).delay()).get(timeout)).toEqual(["own", "added"]);
});

it("a member that was added may be replaced, and its value stands where it was added", async () => {
  const { app, give, list, adds, scene } = on;
  const later = app.task("later", function (): unknown {
    return this.replace(chain(give.s("replaced"), give.s()));
  });
  scene.act = adding(() => later.s());
  expect(await (await chord([adds.s(), give.s(1)], list.s()).delay()).get(timeout)).toEqual(["own", 1, "replaced"]);
});

it("a member that was added is tried again in its place", async () => {
  const { app, list, adds, scene } = on;
  const flaky = app.task("flaky", function (): number {
    return this.attempt === 1 ? this.retry({ countdown: 1 }) : this.attempt;
  });
  scene.act = adding(() => flaky.s());
  expect(await (await chord([adds.s()], list.s()).delay()).get(timeout)).toEqual(["own", 2]);
});

it.each([
  ["by name alone", () => on.app.signature("give", ["added"])],
  ["by a stub", () => on.app.stub<typeof on.give>("give").s("added")],
  ["with ignoreResult", () => on.give.s("added").set({ ignoreResult: true })],
  ["to another queue", () => on.give.s("added").set({ queue: "other" })],
  ["with a delay, a priority and headers", () => on.give.s("added").set({ countdown: 20, priority: 3, headers: { a: 1 } })],
])("a member can be added %s", async (_, signature) => {
  const { list, adds, scene } = on;
  scene.act = adding(signature as () => Signature);
  expect(await (await chord([adds.s()], list.s()).delay()).get(timeout)).toEqual(["own", "added"]);
});

it("a chunk counts what all its calls add", async () => {
  const { list, adds, scene } = on;
  scene.act = adding();
  const sent = await chord(adds.chunks([[1], [2]], 2), list.s()).delay();
  expect(await sent.get(timeout)).toEqual([["own", "own"], "added", "added"]);
});

it("the member belongs to the flow, the group and the task that added it", async () => {
  const { app, list, adds, scene } = on;
  const facts = app.task("facts", function () {
    return [this.id, this.rootId, this.parentId ?? null, this.groupId ?? null];
  });
  let handle: AsyncResult | undefined;
  scene.act = async (context) => {
    handle = await context.addToChord(facts.s());
    return [context.rootId, context.id, context.groupId];
  };
  const value = (await (await chord([adds.s()], list.s()).delay()).get(timeout)) as readonly [unknown[], unknown[]];
  const [[rootId, id, groupId], added] = value;
  expect(added).toEqual([additionId(String(id), 0), rootId, id, groupId]);
  expect(groupId).toBeDefined();
  expect(await handle?.get(timeout)).toEqual(added);
});

it.each([
  ["alone", () => on.adds.s()],
  ["in a chain", () => chain(on.give.s(0), on.adds.s())],
  ["in a group that nothing waits for", () => group(on.adds.s())],
  ["as the body of a chord", () => chord([on.give.s(0)], on.adds.s())],
  ["as a link", () => on.give.s(0).link(on.adds.s())],
])("no member is added %s: it is no member of a chord", async (_, canvas) => {
  const { scene } = on;
  const code = new Promise<unknown>((resolve) => {
    scene.act = (context) => context.addToChord(on.give.s(1)).then(resolve, (error: unknown) => resolve((error as BullrushError).code));
  });
  await (canvas() as Signature).delay();
  expect(await code).toBe("ADD_TO_CHORD_UNSUPPORTED");
});

it("no member is added in a direct call", async () => {
  const { adds, scene } = on;
  scene.act = adding();
  await expect(adds()).rejects.toMatchObject({ code: "ADD_TO_CHORD_UNSUPPORTED", details: { task: "adds" } });
});

it.each<[string, () => unknown, RegExp]>([
  ["a chain", () => chain(on.give.s(1), on.give.s()), /is a chain; expected a signature/],
  ["a group", () => group(on.give.s(1)), /is a group; expected a signature/],
  ["a signature with links", () => on.give.s(1).link(on.give.s()), /a signature with links/],
  ["a signature with a taskId", () => on.give.s(1).set({ taskId: newId() }), /a call with a taskId/],
  ["a call to several queues", () => on.give.s(1).set({ exchange: "all" }), /a call that goes to 2 queues/],
  ["what is no canvas", () => "give", /is a string; expected a canvas/],
])("%s is refused, and the chord goes on without it", async (_, given, message) => {
  const { list, adds, scene } = on;
  scene.act = async (context) => {
    const error = await context.addToChord(given() as Signature).catch((thrown: unknown) => thrown as BullrushError);
    return [(error as BullrushError).code, (error as BullrushError).message];
  };
  const [[code, text]] = (await (await chord([adds.s()], list.s()).delay()).get(timeout)) as [[string, string]];
  expect([code, text]).toEqual(["INVALID_OPTION", expect.stringMatching(message)]);
});

it("what is added after the task has ended is refused, since the chord may have gone on", async () => {
  const { give, list, adds, scene } = on;
  let late: TaskContext | undefined;
  scene.act = async (context) => {
    late = context;
    return "own";
  };
  expect(await (await chord([adds.s()], list.s()).delay()).get(timeout)).toEqual(["own"]);
  await expect(late?.addToChord(give.s(1))).rejects.toMatchObject({ code: "CHORD_MEMBER_ENDED", details: { task: "adds" } });
});

it("what a member adds after its chord was revoked is revoked as well, and nothing of the flow is left", async () => {
  const { app, give, list, adds, scene } = on;
  let begun: () => void = () => undefined;
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  const handles: AsyncResult[] = [];
  scene.act = async (context) => {
    handles.push(await context.addToChord(give.s("before").set({ countdown: "1h" })));
    begun();
    await new Promise((resolve) => context.signal.addEventListener("abort", resolve, { once: true }));
    handles.push(await context.addToChord(give.s("after").set({ countdown: "1h" })));
  };
  const sent = await chord([adds.s()], list.s()).delay();
  await hasBegun;
  expect(await sent.revoke({ reason: "no need" })).toBe(true);
  await expect(sent.get(timeout)).rejects.toMatchObject({ code: "TASK_REVOKED" });
  await until(() => expect(handles).toHaveLength(2));
  for (const handle of handles) await expect(handle.get(timeout)).rejects.toMatchObject({ code: "TASK_REVOKED" });
  await until(async () => expect(await app.engine.flows.revoke(sent.id, [])).toBeUndefined());
});
