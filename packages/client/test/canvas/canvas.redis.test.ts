import { callId, encodeRecord, newId, systemClock, type Flow } from "@bullrush/broker";
import { describe, expect, test } from "vitest";
import {
  AsyncResult,
  createApp,
  Chain,
  type Canvas,
  type CanvasData,
  chain,
  Chord,
  chord,
  Group,
  group,
  GroupResult,
  type Handle,
  isReplace,
  PublishError,
  Signature,
} from "../../src/index.js";
import { costOf } from "../../../../integration/lib/cost-of.js";
import { compile } from "../../src/canvas/compile.js";
import { contentOf } from "../../src/canvas/content.js";
import { depthOf } from "../../src/canvas/node.js";
import { deadUrl, failing, rejected, take, testApp, thrownBy } from "../support.js";

function prepare(options = {}) {
  const app = testApp(options);
  const add = app.task("add", (x: number, y: number) => x + y);
  const show = app.task("show", (x: unknown) => String(x));
  const sum = app.task("sum", (all: readonly unknown[]) => all.length);
  return { app, add, show, sum };
}

/** The flows that `app` begins, which nobody keeps. */
function begun(app: ReturnType<typeof testApp>): readonly Flow[] {
  const flows: Flow[] = [];
  Object.assign(app.engine.flows, { begin: async (flow: Flow) => void flows.push(flow) });
  return flows;
}

describe("canvas as plain data", () => {
  test("turned into a canvas again: the same", () => {
    const { app, add, show, sum } = prepare();
    const eta = new Date(1_700_000_000_000);
    const canvases = [
      add.s(1, 2).set({ queue: "q", eta, expires: "1m", headers: { a: [1] }, maxRetries: null }),
      add
        .si(1, 2)
        .link(show.s())
        .onError([show.si(1), chain(add.si(1, 2), add.s(3))]),
      chain(add.s(1, 2).set({ expires: eta }), chain(add.s(3), group(show.s(), add.s(4))), sum.s()),
      chord([chain(add.s(1, 2), show.s())], sum.s(), { onFailure: "partial" }),
      group(group(), add.chunks([[1, 2]], 1)).set({ taskId: newId() }),
      chain(chain(add.s(1, 2), show.s()).onError(show.s()), show.s()),
      chain(),
    ];
    const kinds = [Signature, Signature, Chain, Chord, Group, Chain, Chain];
    for (const [index, canvas] of canvases.entries()) {
      const data = canvas.toJSON();
      const again = app.canvas(JSON.parse(JSON.stringify(data)));
      expect(again).toBeInstanceOf(kinds[index]);
      expect(again.toJSON()).toEqual(data);
    }
    expect(app.canvas(canvases[0]!.toJSON())).toMatchObject({ options: { eta, expires: "1m" } });
    expect(app.canvas(canvases[2]!.toJSON()).toJSON()).toMatchObject({
      type: "chain",
      steps: [{ options: { expires: eta.toISOString() } }, {}, {}, {}],
    });
  });

  test("argument of a task: accepted", async () => {
    const { app, add, show } = prepare();
    await app.stub("run").delay(chain(add.s(1, 2), show.s()).toJSON());
    const { message } = await take(app);
    expect(app.canvas(message.args[0] as never)).toBeInstanceOf(Chain);
  });

  test.each<[what: string, data: unknown, details: object]>([
    ["nothing", null, { option: "the data", got: "null" }],
    ["of no kind", { type: "loop" }, { option: "the data.type" }],
    ["without a name", { type: "call", args: [] }, { option: "the data.task", got: "undefined" }],
    ["without arguments", { type: "call", task: "add" }, { got: "undefined", expected: "an array" }],
    ["with an unknown option", { type: "call", task: "add", args: [], options: { prio: 1 } }, { got: "unknown" }],
    ["with steps that are none", { type: "chain", steps: 5 }, { option: "the data.steps" }],
    ["with bad links of a chain", { type: "chain", steps: [], onError: 5 }, { option: "the data.onError" }],
    ["with runs without lists of arguments", { type: "call", task: "a", args: [[1], 2], each: true }, { option: "the data.args[1]" }],
    ["with a bad step", { type: "chain", steps: [{ type: "group", members: [5] }] }, { option: "the data.steps[0].members[0]" }],
    ["with a bad link", { type: "call", task: "a", args: [], link: 5 }, { option: "the data.link" }],
    [
      "with a header that is no group",
      { type: "chord", header: { type: "chain", steps: [] } },
      { option: "the data.header", got: "a chain" },
    ],
    ["with a bad policy", { type: "chord", header: { type: "group", members: [] }, onFailure: "x" }, { option: "the data.onFailure" }],
  ])("refused: %s", (_, data, details) => {
    expect(thrownBy(() => testApp().canvas(data as never))).toEqual(failing("INVALID_OPTION", details));
  });
});

test("invalid task name in the data: refused", () => {
  expect(thrownBy(() => testApp().canvas({ type: "call", task: "a b", args: [] }))).toEqual(failing("INVALID_TASK_NAME", { name: "a b" }));
});

describe("value that is no canvas", () => {
  const { add, show } = prepareTypes();

  test.each<[what: string, make: () => unknown, details: object]>([
    ["a task in a chain", () => chain(add.s(1, 2), show as never), { option: "item 2 of chain()", got: "a function" }],
    ["a promise in a group", () => group([add.delay as never]), { option: "item 1 of group()" }],
    ["an array in a chain", () => chain([add.s(1, 2)] as never), { option: "item 1 of chain()", got: "an array" }],
    ["a header", () => chord(add.s(1, 2) as never, show.s()), { option: "the header of chord()", got: "a call" }],
    ["a body", () => chord([add.s(1, 2)], 5 as never), { option: "the body of chord()", got: "a number" }],
    ["an option of a chord", () => chord([], show.si(1), { onFail: "x" } as object), { got: "unknown" }],
    ["a policy", () => chord([], show.si(1), { onFailure: "x" as never }), { got: "a string" }],
    ["a link", () => add.s(1, 2).link("x" as never), { option: "what was given to link()" }],
    ["a link among the options", () => add.s(1, 2).set({ linkError: [5] as never }), { option: '"linkError"' }],
    ["options", () => add.s(1, 2).set(null as never), { got: "null" }],
    ["a link that is null", () => add.s(1, 2).set({ link: null as never }), { option: '"link"', got: "null" }],
    ["an error link of a call by its name", () => createApp().signature("a", [], { linkError: null as never }), { got: "null" }],
    ["a stamp that is a text", () => add.s(1, 2).stamp("abc" as never), { option: "what was given to stamp()", got: "a string" }],
    ["a stamp that is null", () => add.s(1, 2).stamp(null as never), { got: "null" }],
    ["a stamp that is a number", () => add.s(1, 2).stamp(5 as never), { got: "a number" }],
    ["a stamp that is a list", () => add.s(1, 2).stamp([1] as never), { got: "an array" }],
    ["the arguments in starmap()", () => add.starmap([[1, 2], 5 as never]), { option: "item 2 of the calls of add", got: "a number" }],
    ["the arguments in chunks()", () => add.chunks([1, 2] as never, 1), { option: "item 1 of the calls of add", got: "a number" }],
    ["the items of map()", () => show.map(5 as never), { got: "a number", expected: "an array" }],
    ["the size of chunks", () => add.chunks([], 0), { got: "0" }],
  ])("refused where the canvas is made: %s", (_, make, details) => {
    expect(thrownBy(make)).toEqual(failing("INVALID_OPTION", details));
  });

  function prepareTypes() {
    const app = createApp();
    return { add: app.task("add", (x: number, y: number) => x + y), show: app.task("show", (x: unknown) => String(x)) };
  }
});

/** A canvas that fits everywhere. */
type Free = Canvas<unknown, [ignored?: unknown]>;

test("canvas with any number of steps, and 500 levels: accepted", () => {
  const { app, add, sum } = prepare();
  let long: Canvas<number> = add.s(1, 2);
  for (let step = 0; step < 2000; step++) long = chain(long, add.s(1));
  expect(chain(long).toJSON()).toMatchObject({ steps: { length: 2001 } });
  for (const wrap of [
    (canvas: Free) => chord([app.signature("a")], canvas),
    (canvas: Free) => app.signature("a").link(canvas),
    (canvas: Free) => app.signature("a").onError(chain(group(canvas), sum.s())),
    (canvas: Free) => group(canvas),
  ]) {
    let deep: Free = app.signature("a");
    const grow = () => {
      for (let level = 0; level < 1000; level++) deep = wrap(deep);
    };
    expect(thrownBy(grow)).toEqual(failing("INVALID_OPTION", { got: "nested deeper than 500 levels" }));
    const again = app.canvas(deep.toJSON()).set({ queue: "q" }).stamp({ a: 1 });
    expect(compile(contentOf(again, "it").node, { options: app.options, replyTo: "", clock: systemClock }).plan.calls).not.toEqual([]);
  }
});

test("chain that grows step by step: accepted; data nested too deep: refused", () => {
  const { app, add } = prepare();
  let long: Canvas<number> = add.s(1, 2);
  const cost = costOf(() => {
    for (let step = 0; step < 8000; step++) long = chain(long, add.s(1));
  });
  // Ten times what it takes.
  expect(cost).toBeLessThan(1000);
  for (const wrap of [
    (data: CanvasData): CanvasData => ({ type: "group", members: [data] }),
    (data: CanvasData): CanvasData => ({ type: "chain", steps: [data] }),
    (data: CanvasData): CanvasData => ({ type: "call", task: "a", args: [], onError: [data] }),
  ]) {
    let data = add.s(1, 2).toJSON();
    for (let level = 0; level < 3000; level++) data = wrap(data);
    expect(thrownBy(() => app.canvas(data))).toEqual(failing("INVALID_OPTION", { got: "nested deeper than 500 levels" }));
  }
});

test("any way of making a canvas: it counts its levels", () => {
  const { app, add, show, sum } = prepare();
  const linked = add.s(1).link(group(show.s(), show.s()));
  const header = group(chain(add.s(1, 2), linked), add.s(1, 2));
  const made = [
    add.s(1, 2),
    linked,
    header,
    group(),
    chain(header, sum.s()),
    chain(chain(header, sum.s()), show.s()),
    chord(header, sum.s()),
  ];
  const others = [
    chain(),
    chain(chain(add.s(1, 2), show.s()).onError(group(show.s(), show.s())), show.s()),
    chord([add.s(1, 2), header], chain(sum.s(), show.s())),
    chord([], group(sum.s())),
    show.map([1]),
    add.chunks([[1, 2]], 1),
  ];
  for (const canvas of [...made, ...others]) {
    const { node, depth } = contentOf(canvas, "it");
    expect({ node, depth }).toEqual({ node, depth: depthOf(node) });
    expect(contentOf(app.canvas(canvas.toJSON()), "it").depth).toBe(depth);
  }
});

test("parts of several apps: refused", () => {
  const { add, show } = prepare();
  const other = prepare();
  const sum = other.sum;
  const details = { got: expect.stringContaining("belongs to another app") };
  for (const make of [
    () => chain(add.s(1, 2), other.show.s()),
    () => group(add.s(1, 2), other.add.s(1, 2)),
    () => chord([add.s(1, 2)], sum.s()),
    () => chord([add.s(1, 2), other.add.s(1, 2)], sum.s()),
    () => add.s(1, 2).link([show.s(), other.show.s()]),
    () => add.s(1, 2).onError(other.app.signature("warn")),
    () => add.s(1, 2).set({ link: other.show.s() }),
    () => other.app.signature("add", [1, 2], { linkError: show.s() }),
  ]) {
    expect(thrownBy(make)).toEqual(failing("INVALID_OPTION", details));
  }
  expect(chain(group(), sum.s()).toJSON()).toMatchObject({ type: "chain" });
});

describe("signature", () => {
  test("without its first argument: completed when it is sent", async () => {
    const { app, add } = prepare();
    await add.s(2).delay(4);
    await add.s(2).applyAsync({ headers: { n: 1 } }, 5);
    await app.signature("add", [6, 7]).delay();
    expect((await take(app)).message.args).toEqual([4, 2]);
    expect((await take(app)).message).toMatchObject({ args: [5, 2], headers: { n: 1 } });
    expect((await take(app)).message.args).toEqual([6, 7]);
  });

  test("immutable: takes no value", async () => {
    const { app, add } = prepare();
    await add.si(1, 2).delay(3);
    expect((await take(app)).message.args).toEqual([1, 2]);
  });

  test("links, its own or the call's: a flow; publishAll refuses them", async () => {
    const { app, add, show } = prepare();
    const flows = begun(app);
    const options = { link: show.s(), linkError: [app.stub("warn").s()] };
    const results = [
      await add.s(1, 2).link(show.s()).delay(),
      await add.applyAsync([1, 2], options),
      await app.sendTask("add", [1, 2], options),
    ];
    expect(flows.map(({ id }) => id)).toEqual(results.map(({ id }) => id));
    expect(flows.map(({ calls }) => calls.length)).toEqual([2, 3, 3]);
    expect(await rejected(app.publishAll([add.s(1, 2).set(options)]))).toEqual(
      failing("INVALID_OPTION", { option: "call 1 of publishAll()" }),
    );
    for (const link of [show, null, prepare().show.s()] as never[]) {
      expect(await rejected(add.applyAsync([1, 2], { link }))).toEqual(failing("INVALID_OPTION", { option: '"link"' }));
    }
  });
});

describe("handle", () => {
  test("chain: the last step's, and leads back to the others", async () => {
    const { app, add, show, sum } = prepare();
    const flows = begun(app);
    const result = await chain(add.s(1, 2), group(show.s(), add.s(1)), sum.s(), show.s()).delay();
    const { calls, id } = flows[0]!;
    expect(result).toBeInstanceOf(AsyncResult);
    expect(result.id).toBe(id);
    const before = result.parent as AsyncResult;
    expect(before.id).toBe(callId(id, 1));
    const middle = before.parent as unknown as GroupResult;
    expect(middle).toBeInstanceOf(GroupResult);
    expect(middle.results.map((member) => member.id)).toEqual([callId(id, 2), callId(id, 3)]);
    expect((middle.parent as AsyncResult).id).toBe(calls[4]?.message.id);
  });

  test("group: has its members' handles; a chain that ends in one is a group", async () => {
    const { app, add, show } = prepare();
    const nested = await group(add.s(1, 2), group(show.s(3)), chain(show.s(4))).delay();
    expect(nested.results.map((result) => result.constructor)).toEqual([AsyncResult, GroupResult, AsyncResult]);
    expect((await take(app)).message).toMatchObject({ id: nested.results[0]?.id, groupId: nested.id });
    begun(app);
    const behind = await chain(add.s(1, 2), group(show.s(), show.s())).delay();
    expect(behind).toBeInstanceOf(GroupResult);
    expect(behind.results).toHaveLength(2);
    expect((behind.parent as unknown as AsyncResult).id).toBe(callId(behind.id, 2));
  });

  test("empty group: has ended", async () => {
    const { app, show } = prepare();
    expect(await (await group().delay()).get()).toEqual([]);
    expect(await (await group(group(), show.map([])).delay()).get()).toEqual([[], []]);
    expect(await app.engine.queues.counts(["default"])).toMatchObject([{ waiting: 0 }]);
    const nothing = await group().delay();
    await nothing.save();
    await nothing.forget();
    expect(await (await app.groupResult(nothing.id))?.get()).toEqual([]);
  });

  test("empty group after save(): found again, whoever made it", async () => {
    const { app, show } = prepare();
    const wide = group(...Array.from({ length: 22 }, () => group()));
    for (const canvas of [group(), group([]), show.map([]), group(group(), group(group())), wide]) {
      const result = await canvas.delay();
      await result.save();
      const again = await app.groupResult(result.id);
      expect({ id: again?.id, value: await again?.get() }).toEqual({ id: result.id, value: await result.get() });
    }
    expect(await app.groupResult(newId())).toBeUndefined();
  });

  test("chain: forget() removes the results of all its steps", async () => {
    const { app, add, show, sum } = prepare();
    begun(app);
    const canvas = chain(add.s(1, 2), group(chain(add.s(1), show.s()), show.s()), sum.s(), show.s());
    for (const result of [await canvas.delay(), await chain(canvas, group(show.s(), show.s())).delay()]) {
      const handles: string[] = [];
      const collect = (handle: Handle | undefined): void => {
        if (handle === undefined) return;
        if (handle.results === undefined) handles.push(handle.id);
        for (const member of handle.results ?? []) collect(member);
        collect(handle.parent);
      };
      collect(result);
      expect(handles.length).toBeGreaterThan(5);
      await app.engine.results.store(
        handles.map((id) => ({ id, delivery: 1, expires: 60_000, record: encodeRecord({ state: "SUCCESS", delivery: 1 }) })),
      );
      let before = result.parent;
      while (before?.results === undefined) before = before?.parent;
      const group = before as unknown as GroupResult;
      await group.save();
      await result.forget();
      expect((await app.engine.results.read(handles)).filter((record) => record !== undefined)).toEqual([]);
      expect(await app.groupResult(group.id)).toBeUndefined();
    }
  });

  test("call that is not sent yet: PENDING for every caller", async () => {
    const { app, add, show, sum } = prepare();
    begun(app);
    const canvas = chain(add.s(1, 2).link(show.s()), group(show.s(), add.s(3)), sum.s());
    const { id } = await canvas.delay();
    const [last, ...others] = await app.engine.results.read([0, 1, 2, 4, 3].map((number) => (number === 0 ? id : callId(id, number))));
    expect(last).toMatchObject({ state: "PENDING", task: "sum", queue: "default", flow: id, call: 0 });
    expect(others).toMatchObject(
      [{ call: 1 }, { call: 2 }, undefined, undefined].map((record) => record && { ...record, state: "PENDING" }),
    );
    expect(await app.asyncResult(id).status()).toBe("PENDING");
  });
});

describe("chain without steps", () => {
  test("grows with each step, whatever was done to it before", () => {
    const { app, add, show } = prepare();
    const grown = chain(chain().stamp({ a: 1 }).onError(show.s()), add.s(1, 2), chain(), show.s());
    expect(grown.toJSON()).toEqual(chain(add.s(1, 2), show.s()).toJSON());
    expect(chain(app.canvas(chain().toJSON()), show.si(1)).toJSON()).toEqual(chain(show.si(1)).toJSON());
  });

  test("refused where it is sent", async () => {
    const { app, add } = prepare();
    const empty = chain();
    for (const canvas of [
      empty,
      chain(empty, empty),
      app.canvas(empty.toJSON()),
      group(empty),
      chord([add.s(1, 2)], empty as never),
      add.s(1, 2).link(empty),
    ]) {
      expect(await rejected(canvas.delay())).toEqual(failing("INVALID_OPTION", { option: "a chain", got: "empty" }));
    }
  });
});

describe("canvas that cannot be sent", () => {
  test("rejects as a whole", async () => {
    const { app, add, show } = prepare();
    expect(await rejected(group(add.s(1, 2), show.s("x".repeat(2_000_000) as never)).delay())).toEqual(failing("PAYLOAD_TOO_LARGE"));
    expect(await rejected(chain(add.s(1, 2), show.s()).applyAsync({ prio: 1 } as object))).toEqual(failing("INVALID_OPTION"));
    expect(await app.engine.queues.counts(["default"])).toMatchObject([{ waiting: 0 }]);
  });

  test("broker away: rejects with its code", async () => {
    const { add, show } = prepare({ broker: deadUrl, publishTimeout: 200 });
    expect(await rejected(add.s(1, 2).delay())).toEqual(failing("BROKER_UNAVAILABLE"));
    expect(await rejected(group(add.s(1, 2), show.s(1)).delay())).toBeInstanceOf(PublishError);
    expect(await rejected(chain(add.s(1, 2), show.s()).delay())).toEqual(failing("BROKER_UNAVAILABLE"));
  });

  test("leaves no PENDING record behind", async () => {
    const { app, add, show } = prepare();
    const stored: unknown[] = [];
    Object.assign(app.engine.results, { store: async (requests: unknown) => void stored.push(requests) });
    Object.assign(app.engine.flows, { begin: async () => Promise.reject(new Error("no")) });
    expect(await rejected(chain(add.s(1, 2), show.s()).delay())).toEqual(new Error("no"));
    expect(stored).toEqual([]);
  });

  test("app closed: rejects with its code", async () => {
    const { app, add, show } = prepare();
    await app.close();
    expect(await rejected(chain(add.s(1, 2), show.s()).delay())).toEqual(failing("APP_CLOSED"));
  });
});

test("this.replace() in a direct call: throws what a worker would see", () => {
  const { app, add } = prepare();
  const outer = app.task("outer", function (canvas: unknown): number {
    return this.replace(canvas as never);
  });
  const error = thrownBy(() => outer(add.s(1, 2)));
  expect(isReplace(error) && error.canvas).toBeInstanceOf(Signature);
  expect(error).toEqual(failing("REPLACEMENT_REQUESTED", { task: "outer" }));
  expect(thrownBy(() => outer(chain(add.s(1, 2), add.s(3)).set({ taskId: newId() })))).toEqual(
    failing("INVALID_OPTION", { got: "a canvas with a taskId" }),
  );
  expect(thrownBy(() => outer(5))).toEqual(failing("INVALID_OPTION", { option: "what was given to this.replace() in outer" }));
});
