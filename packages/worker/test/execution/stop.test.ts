import { AsyncLocalStorage } from "node:async_hooks";
import { describe, expect, it } from "vitest";
import { Stop } from "../../src/execution/stop.js";

const first = new Error("first");
const second = new Error("second");

/** A stop, and what its listeners hear, in order. */
function observed(stop = new Stop()) {
  const heard: string[] = [];
  stop.onRequest(({ message }) => heard.push(`asked: ${message}`));
  stop.onKill(({ message }) => heard.push(`killed: ${message}`));
  return { stop, heard };
}

describe("a stop", () => {
  it("asks for nothing by itself", () => {
    const { stop, heard } = observed();
    expect([stop.requested, stop.signal.aborted, heard]).toEqual([false, false, []]);
  });

  it("that is requested aborts its signal, looked at before or after, with the first reason", () => {
    const before = new Stop();
    const { signal } = before;
    const { stop: after, heard } = observed();
    for (const stop of [before, after]) {
      stop.request(first);
      stop.request(second);
    }
    expect([signal.reason, before.signal, after.signal.reason, after.requested]).toEqual([first, signal, first, true]);
    expect(heard).toEqual(["asked: first"]);
  });

  it("that kills asks first, and does both once", () => {
    const { stop, heard } = observed();
    stop.kill(first);
    stop.kill(second);
    expect(heard).toEqual(["asked: first", "killed: first"]);
    expect(stop.signal.reason).toBe(first);
  });

  it("kills also what was asked before; the signal keeps its reason", () => {
    const { stop, heard } = observed();
    stop.request(first);
    stop.kill(second);
    expect(heard).toEqual(["asked: first", "killed: second"]);
    expect(stop.signal.reason).toBe(first);
  });

  it("aborts its signal where that was first looked at", () => {
    const storage = new AsyncLocalStorage<string>();
    const stop = new Stop();
    const heard: (string | undefined)[] = [];
    storage.run("the task", () => stop.signal.addEventListener("abort", () => heard.push(storage.getStore())));
    storage.run("another", () => stop.request(first));
    expect(heard).toEqual(["the task"]);
  });

  it("tells whoever comes late at once", () => {
    const stop = new Stop();
    stop.request(first);
    stop.kill(second);
    expect(observed(stop).heard).toEqual(["asked: first", "killed: second"]);
  });
});

describe("a branch of a stop", () => {
  it("hears what the stop hears", () => {
    const trunk = new Stop();
    const { stop, heard } = observed(trunk.branch());
    trunk.request(first);
    trunk.kill(second);
    expect(heard).toEqual(["asked: first", "killed: second"]);
    expect(stop.signal.reason).toBe(first);
  });

  it("hears what the stop has heard before", () => {
    const trunk = new Stop();
    trunk.kill(first);
    expect(observed(trunk.branch()).heard).toEqual(["asked: first", "killed: first"]);
  });

  it("keeps to itself what is asked of it", () => {
    const { stop: trunk, heard } = observed();
    trunk.branch().kill(first);
    expect([trunk.requested, heard]).toEqual([false, []]);
  });
});
