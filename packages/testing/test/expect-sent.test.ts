import { AssertionError } from "node:assert";
import { chain, chord, createApp, type App } from "@bullrush/client";
import { expect, onTestFinished, test } from "vitest";
import { eager, expectNotSent, expectSent, sent, testWorker } from "../src/index.js";

function heldApp(options: Parameters<typeof createApp>[0] = {}): App {
  const app = createApp({ broker: "redis://127.0.0.1:1/0", ...options });
  const worker = testWorker(app, { now: new Date("2030-01-01T00:00:00Z") });
  onTestFinished(() => worker.stop());
  return app;
}

/** What `action` throws. */
function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}

test("what was sent: task, arguments, queue and options, in order", async () => {
  const app = heldApp({ routes: { "mail.*": "mail" } });
  const welcome = app.task("mail.welcome", { timeLimit: "1m" }, (to: string) => to);
  await welcome.delay("ann@example.org");
  await welcome.applyAsync(["bob@example.org"], {
    countdown: "1h",
    expires: "2h",
    priority: 3,
    headers: { tenant: "t1" },
    maxRetries: Infinity,
  });
  expect(sent(app)).toMatchObject([
    { task: "mail.welcome", args: ["ann@example.org"], queue: "mail", priority: 0, headers: {}, timeLimit: 60_000 },
    {
      task: "mail.welcome",
      args: ["bob@example.org"],
      queue: "mail",
      priority: 3,
      headers: { tenant: "t1" },
      eta: new Date("2030-01-01T01:00:00Z"),
      expires: new Date("2030-01-01T02:00:00Z"),
      maxRetries: Infinity,
    },
  ]);
});

test("a canvas: all its calls are sent, and the step that only gathers is not shown", async () => {
  const app = heldApp();
  const add = app.task("tasks.add", (x: number, y: number) => x + y);
  const total = app.task("tasks.total", (values: number[]) => values.length);
  await chain(add.s(1, 2), add.s(3)).delay();
  await chord([add.s(4, 4), add.s(5, 5)], total.s()).delay();
  const calls = sent(app).map(({ task, args }) => `${task}(${args.join(", ")})`);
  expect(calls.toSorted()).toEqual(["tasks.add(1, 2)", "tasks.add(3)", "tasks.add(4, 4)", "tasks.add(5, 5)", "tasks.total()"]);
});

test("a call that the app refuses: it was not sent", async () => {
  const app = heldApp();
  await expect(app.sendTask("tasks.any", [1n])).rejects.toMatchObject({ code: "ENCODE_ERROR" });
  expect(sent(app)).toEqual([]);
});

test("a task that retries: it was sent once", async () => {
  const app = createApp({ broker: "redis://127.0.0.1:1/0" });
  await using _ = eager(app);
  const flaky = app.task("tasks.flaky", { autoRetryFor: Error, retryDelay: "1h" }, function () {
    if (this.retries < 2) throw new Error("not yet");
  });
  await flaky.delay();
  expect(sent(app)).toHaveLength(1);
});

test("expectSent: it returns the call of a task, of a stub, and of a name", async () => {
  const app = heldApp();
  const add = app.task("tasks.add", (x: number, y: number) => x + y);
  const stub = app.stub<typeof add>("tasks.add");
  await add.delay(1, 2);
  await add.applyAsync([3, 4], { queue: "other" });
  expect(expectSent(add).args).toEqual([1, 2]);
  expect(expectSent(stub, [3, 4]).queue).toBe("other");
  expect(expectSent("tasks.add", [3, 4]).queue).toBe("other");
  expectNotSent(add, [4, 3]);
  expectNotSent("tasks.subtract");
});

test("expectSent with undefined properties, and with matchers: they are compared as JSON carries them", async () => {
  const app = heldApp();
  const call = { at: "2030", none: undefined, zero: -0, list: [1, { deep: "value" }] };
  await app.sendTask("tasks.any", [call]);
  expectSent("tasks.any", [call]);
  expectSent("tasks.any", [{ at: "2030", zero: 0, list: [1, { deep: "value" }] }]);
  expectSent("tasks.any", [expect.objectContaining({ at: expect.any(String) })]);
  expectSent("tasks.any", [{ at: expect.any(String), zero: 0, list: [1, { deep: expect.stringContaining("val") }] }]);
  expectNotSent("tasks.any", [{ ...call, at: expect.any(Number) }]);
  expectNotSent("tasks.any", [{ at: "2030" }]);
  expectNotSent("tasks.any", [{ ...call, more: null }]);
  expectNotSent("tasks.any", [[call]]);
  expectNotSent("tasks.any", []);
});

test("expectSent of other arguments than those sent: the error shows the calls of the task", async () => {
  const app = heldApp({ routes: { "mail.*": "mail" } });
  const welcome = app.task("mail.welcome", (to: string, times: number) => [to, times]);
  await welcome.delay("ann", 1);
  await welcome.delay("x".repeat(300), 2);
  await app.sendTask("tasks.other");
  const error = errorOf(() => expectSent(welcome, ["bob", 1]));
  expect(error).toBeInstanceOf(AssertionError);
  expect(error).toMatchObject({
    operator: "expectSent",
    actual: [
      ["ann", 1],
      [expect.any(String), 2],
    ],
    expected: [["bob", 1]],
  });
  expect((error as Error).message).toBe(
    `mail.welcome("bob", 1) was not sent. Sent: 2 calls\n  mail.welcome("ann", 1) to queue "mail"\n  mail.welcome("${"x".repeat(198)}…) to queue "mail"`,
  );
});

test("expectSent of a task that nobody has called: the error shows what was sent instead", async () => {
  const app = heldApp();
  expect(errorOf(() => expectSent("tasks.add"))).toMatchObject({ message: "tasks.add was not sent. Nothing was sent." });
  await app.publishAll(Array.from({ length: 22 }, (_, number) => app.signature("tasks.other", [number])));
  const { message } = errorOf(() => expectSent("tasks.add")) as Error;
  expect(message).toContain('tasks.add was not sent. Sent: 22 calls\n  tasks.other(0) to queue "default"\n');
  expect(message).toMatch(/\n {2}and 2 more$/);
});

test("expectNotSent of what was sent: the error shows it", async () => {
  const app = heldApp();
  await app.sendTask("tasks.add", [1, 2]);
  expect(errorOf(() => expectNotSent("tasks.add"))).toMatchObject({
    operator: "expectNotSent",
    message: 'tasks.add was sent. Sent: 1 call\n  tasks.add(1, 2) to queue "default"',
  });
});

test("sent and expectSent without an app under test: INVALID_OPTION; sent() still shows what an app sent before", async () => {
  const app = createApp({ broker: "redis://127.0.0.1:1/0" });
  expect(() => sent(app)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  expect(() => expectSent("tasks.add")).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  const worker = testWorker(app);
  await app.sendTask("tasks.add");
  await worker.stop();
  expect(sent(app)).toHaveLength(1);
  expect(() => expectSent("tasks.add")).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
});
