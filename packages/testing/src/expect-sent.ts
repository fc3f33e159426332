import { AssertionError } from "node:assert";
import { BullrushError, clip, counted } from "@bullrush/broker";
import type { App, TaskStub } from "@bullrush/client";
import { allUnderTest, underTest } from "./app-under-test.js";
import { matches } from "./matches.js";
import type { SentCall } from "./sent-call.js";

/** A task, its stub, or its name. */
type Named<Args extends unknown[]> = string | Pick<TaskStub<Args>, "name" | "applyAsync">;

/** Most calls, and most characters of the arguments of one, that an error shows. */
const limits = { calls: 20, text: 200 };

/**
 * What `app` has sent since it is under test, in order: calls, canvases with all their steps, ticks
 * of a beat; no retries. The calls of one canvas come in no particular order. Throws
 * `INVALID_OPTION` for an app that never was under test.
 */
export function sent(app: App): readonly SentCall[] {
  const under = underTest(app);
  if (under === undefined) refuse(`app "${app.options.name}"`, "not under test");
  return under.log.map(({ call }) => call);
}

/**
 * The first call of `task`, with these arguments if they are given, that an app under test has
 * sent. Throws an `AssertionError`, which says what was sent instead, if there is none.
 */
export function expectSent<Args extends unknown[]>(task: Named<Args>, args?: NoInfer<Args>): SentCall {
  const calls = callsUnderTest();
  const found = calls.find(isCallOf(task, args));
  if (found !== undefined) return found;
  const related = calls.filter(isCallOf(task));
  return fail("expectSent", `${wanted(task, args)} was not sent.`, related.length > 0 ? related : calls, {
    actual: related.length > 0 ? related.map((call) => call.args) : calls.map((call) => call.task),
    expected: related.length > 0 ? [args] : [nameOf(task)],
  });
}

/**
 * Throws an `AssertionError` if an app under test has sent a call of `task`, with these arguments
 * if they are given.
 */
export function expectNotSent<Args extends unknown[]>(task: Named<Args>, args?: NoInfer<Args>): void {
  const found = callsUnderTest().filter(isCallOf(task, args));
  if (found.length === 0) return;
  fail("expectNotSent", `${wanted(task, args)} was sent.`, found, { actual: found.map((call) => call.args), expected: [] });
}

function callsUnderTest(): readonly SentCall[] {
  const all = allUnderTest();
  if (all.length === 0) refuse("the app", "not under test");
  return all.flatMap(({ log }) => log.map(({ call }) => call));
}

function isCallOf<Args extends unknown[]>(task: Named<Args>, args?: Args): (call: SentCall) => boolean {
  const name = nameOf(task);
  return (call) => call.task === name && (args === undefined || matches(call.args, args));
}

function fail(operator: string, text: string, calls: readonly SentCall[], values: { actual: unknown; expected: unknown }): never {
  const shown = calls.slice(0, limits.calls).map((call) => `\n  ${called(call.task, call.args)} to queue "${call.queue}"`);
  const more = calls.length > shown.length ? [`\n  and ${calls.length - shown.length} more`] : [];
  const list = calls.length === 0 ? " Nothing was sent." : ` Sent: ${counted(calls.length, "call")}`;
  throw new AssertionError({ message: [text, list, ...shown, ...more].join(""), operator, ...values, stackStartFn: fail });
}

function wanted<Args extends unknown[]>(task: Named<Args>, args?: Args): string {
  return args === undefined ? nameOf(task) : called(nameOf(task), args);
}

function called(task: string, args: readonly unknown[]): string {
  return `${task}(${clip(args.map((arg) => JSON.stringify(arg) ?? "undefined").join(", "), limits.text)})`;
}

function nameOf<Args extends unknown[]>(task: Named<Args>): string {
  return typeof task === "string" ? task : task.name;
}

function refuse(option: string, got: string): never {
  throw new BullrushError("INVALID_OPTION", { option, got, expected: "an app on which eager() or testWorker() was called" });
}
