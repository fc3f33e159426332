import { newId } from "@bullrush/broker";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { GroupResult } from "../../src/index.js";
import { failing, testApp, thrownBy } from "../support.js";
import { ended, failure, sent, several, sourceOf, tell } from "./tasks.js";

test("listener: called once when the task has ended, with its outcome and its handle", async () => {
  const { app, re } = await sent();
  const heard: unknown[] = [];
  re.onDone((outcome, result) => heard.push(outcome, result === re));
  await tell(app, re, { state: "FAILURE", failure });
  await eventually("it was called", () => heard.length > 0);
  expect(heard).toEqual([{ state: "FAILURE", failure }, true]);
});

test("task that has ended already: the listener is called, but not at once", async () => {
  const { re } = await ended({ result: 7 });
  const heard: unknown[] = [];
  re.onDone((outcome) => heard.push(outcome));
  expect(heard).toEqual([]);
  await eventually("it was called", () => heard.length > 0);
  expect(heard).toEqual([{ state: "SUCCESS", result: 7 }]);
});

test("listener of a group: called when all have ended", async () => {
  const app = testApp();
  const results = await several(app, 2);
  const group = new GroupResult<[number, number]>(sourceOf(app), { id: newId(), results });
  const heard: unknown[] = [];
  group.onDone((outcomes, result) => heard.push(outcomes, result === group));
  for (const [index, re] of results.entries()) await tell(app, re, { result: index });
  await eventually("it was called", () => heard.length > 0);
  const expected = [
    { state: "SUCCESS", result: 0 },
    { state: "SUCCESS", result: 1 },
  ];
  expect(heard).toEqual([expected, true]);
});

test("value that cannot be called: refused", async () => {
  const { app, re } = await sent();
  const group = new GroupResult(sourceOf(app), { id: newId(), results: [re] });
  for (const handle of [re, group]) {
    expect(thrownBy(() => handle.onDone(undefined as never))).toEqual(
      failing("INVALID_OPTION", { option: "what was given to onDone()", got: "undefined" }),
    );
  }
});

test("listener that throws: an uncaught exception, and other listeners are called", async () => {
  const { app, re } = await sent();
  const uncaught: unknown[] = [];
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  const hear = (error: unknown) => void uncaught.push(error);
  process.on("uncaughtException", hear);
  onTestFinished(() => {
    process.off("uncaughtException", hear);
    for (const listener of before) process.on("uncaughtException", listener);
  });
  const error = new Error("not my day");
  let called = 0;
  re.onDone(() => {
    throw error;
  });
  re.onDone(() => called++);
  await tell(app, re, { result: 1 });
  await eventually("both were called", () => called === 1 && uncaught.length === 1);
  expect(uncaught).toEqual([error]);
});

test("unknown task, or app closed: the listener is not called", async () => {
  const { app, re } = await sent();
  let called = 0;
  app.asyncResult(newId()).onDone(() => called++);
  re.onDone(() => called++);
  await eventually("it is waited for", async () => (await re.status()) === "PENDING");
  await app.close();
  expect(called).toBe(0);
});
