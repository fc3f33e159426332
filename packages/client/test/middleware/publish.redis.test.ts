import { expect, it } from "vitest";
import { chain, chord, group, type App, type Middleware, type PublishCall } from "../../src/index.js";
import { failing, rejected, take, testApp, thrownBy } from "../support.js";

/** A middleware that notes each sending, and adds a header of its own. */
function noting(name: string, seen: string[]): Middleware {
  return {
    name,
    publish: async (calls, next) => {
      seen.push(`${name}: ${calls.map(({ task }) => task).join(" ")}`);
      const results = await next(calls.map((call) => ({ ...call, headers: { ...call.headers, [name]: true } })));
      seen.push(`${name} sent ${results.filter(({ sent }) => sent).length}`);
      return results;
    },
  };
}

function changing(change: (call: PublishCall) => object): Middleware {
  return { name: "changing", publish: (calls, next) => next(calls.map((call) => ({ ...call, ...change(call) }))) };
}

const isEmpty = async (app: App) => expect((await app.engine.queues.counts(["default"]))[0]).toMatchObject({ waiting: 0, delayed: 0 });

it("two middleware: the first added is the outermost, and both headers travel", async () => {
  const seen: string[] = [];
  const app = testApp().use(noting("outer", seen)).use(noting("inner", seen));
  await app.sendTask("t", [1], { headers: { own: 1 } });
  expect(seen).toEqual(["outer: t", "inner: t", "inner sent 1", "outer sent 1"]);
  expect((await take(app)).message).toMatchObject({ args: [1], headers: { own: 1, outer: true, inner: true } });
});

it.each([
  ["delay()", 1, (app: App) => app.stub("t").delay()],
  ["applyAsync()", 1, (app: App) => app.stub("t").applyAsync([], { countdown: "1h" })],
  ["sendTask()", 1, (app: App) => app.sendTask("t")],
  ["publishAll()", 2, (app: App) => app.publishAll([app.signature("t"), app.signature("t")])],
  ["a chain", 2, (app: App) => chain(app.signature("t"), app.signature("t")).delay()],
  ["a group", 3, (app: App) => group([1, 2, 3].map(() => app.signature("t"))).delay()],
  ["a chord", 3, (app: App) => chord([app.signature("t"), app.signature("t")], app.signature("t")).delay()],
  ["a call with a link", 2, (app: App) => app.sendTask("t", [], { link: app.signature("t") })],
])("%s: publish is called once, with all calls", async (_, count, send) => {
  const seen: string[] = [];
  const app = testApp().use(noting("m", seen));
  await send(app);
  expect(seen).toEqual([`m: ${Array.from({ length: count }, () => "t").join(" ")}`, `m sent ${count}`]);
});

it("a chain whose middleware adds a header: its first message has it", async () => {
  const app = testApp().use(noting("m", []));
  await chain(app.signature("a"), app.signature("b")).delay();
  expect((await take(app)).message).toMatchObject({ task: "a", headers: { m: true } });
});

it("arguments, priority and times that are changed: the message has them, under its id", async () => {
  const expires = new Date(Date.now() + 3_600_000);
  const app = testApp().use(changing(({ args }) => ({ args: [...args, "more"], priority: 7, expires })));
  const { id } = await app.sendTask("t", [1]);
  expect((await take(app)).message).toMatchObject({ id, args: [1, "more"], priority: 7, expires: expires.getTime() });
});

it("a call that is refused: the caller's promise rejects with that error, and nothing is sent", async () => {
  const refusal = new Error("no tenant");
  const app = testApp().use({ name: "tenant", publish: () => Promise.reject(refusal) });
  expect(await rejected(app.sendTask("t"))).toBe(refusal);
  expect(await rejected(chain(app.signature("t"), app.signature("t")).delay())).toBe(refusal);
  expect(await rejected(app.publishAll([app.signature("t")]))).toBe(refusal);
  await isEmpty(app);
});

it.each([
  ["changes the id", changing(() => ({ id: "x" })), '"id" of the call of t that middleware "changing" gave to next()'],
  ["changes the queue", changing(() => ({ queue: "x" })), '"queue" of the call of t that middleware "changing" gave to next()'],
  ["gives no headers", changing(() => ({ headers: 1 })), '"headers" of the call of t that middleware "changing" gave to next()'],
  [
    "drops a call",
    { name: "m", publish: (_: readonly PublishCall[], next) => next([]) } satisfies Middleware,
    'what middleware "m" gave to next()',
  ],
  ["never calls next", { name: "m", publish: () => Promise.resolve([]) } satisfies Middleware, 'publish of middleware "m"'],
])("a middleware that %s: the call is refused", async (_, middleware, option) => {
  const app = testApp().use(middleware);
  expect(await rejected(app.sendTask("t"))).toEqual(failing("INVALID_OPTION", { option }));
  await isEmpty(app);
});

it("next is called twice: the call rejects, and is sent once", async () => {
  const app = testApp().use({
    name: "twice",
    publish: async (calls, next) => {
      await next(calls);
      return next(calls).catch(() => []);
    },
  });
  expect(await rejected(app.sendTask("t"))).toEqual(failing("INVALID_OPTION", { got: "calling next() twice" }));
  expect((await app.engine.queues.counts(["default"]))[0]).toMatchObject({ waiting: 1 });
});

it("headers that are too large: the call is refused with PAYLOAD_TOO_LARGE", async () => {
  const app = testApp({ maxPayload: 1000 }).use(changing(() => ({ headers: { big: "x".repeat(2000) } })));
  expect(await rejected(app.sendTask("t"))).toEqual(failing("PAYLOAD_TOO_LARGE"));
  await isEmpty(app);
});

it("a call that goes to several queues: its copies have the header too", async () => {
  const queues = ["a", "b"].map((name) => ({ name, exchange: { name: "all", type: "fanout" as const } }));
  const app = testApp({ queues: [...queues, "default"] as never }).use(noting("m", []));
  const { id } = await app.sendTask("t", [], { exchange: "all" });
  expect((await take(app, "a")).message).toMatchObject({ id, headers: { m: true } });
  expect((await take(app, "b")).message).toMatchObject({ headers: { m: true, fanoutOf: id } });
});

it.each([
  ["no object", 1, "what was given to use()"],
  ["no name", { publish: () => undefined }, '"name" of the middleware that was given to use()'],
  ["a publish that is no function", { name: "m", publish: 1 }, '"publish" of middleware "m"'],
  ["an execute that is no function", { name: "m", execute: 1 }, '"execute" of middleware "m"'],
  ["an unknown hook", { name: "m", on: { suceeded: () => undefined } }, '"suceeded" in "on" of middleware "m"'],
  ["nothing to do", { name: "m" }, 'middleware "m"'],
])("use() of a middleware with %s: it is refused by name", (_, given, option) => {
  expect(thrownBy(() => testApp().use(given as never))).toEqual(failing("INVALID_OPTION", { option }));
});

it("use() of a second middleware of the same name: it is refused", () => {
  const app = testApp().use(noting("m", []));
  expect(thrownBy(() => app.use(noting("m", [])))).toEqual(failing("INVALID_OPTION", { option: 'middleware "m"' }));
});
