import { describe, expect, test } from "vitest";
import { runInTask, Signature, type TaskContext } from "../../src/index.js";
import { localContext } from "../../src/task/local-context.js";
import { failing, rejected, take, testApp } from "../support.js";

describe("signature", () => {
  test("of a task or a stub: the call as plain data", () => {
    const app = testApp();
    const add = app.task("tasks.add", { priority: 4 }, (x: number, y: number) => x + y);
    const call = { type: "call", task: "tasks.add", args: [1, 2] };
    for (const signature of [add.s(1, 2), app.stub<typeof add>("tasks.add").s(1, 2)]) {
      expect(signature).toBeInstanceOf(Signature);
      expect(JSON.parse(JSON.stringify(signature))).toEqual(call);
    }
  });

  test("other options: another signature", () => {
    const first = testApp().stub("tasks.add").s(1).set({ queue: "a", priority: 1 });
    const second = first.set({ queue: "b", countdown: 5 });
    expect(first.options).toEqual({ queue: "a", priority: 1 });
    expect(second).toMatchObject({ task: "tasks.add", args: [1], options: { queue: "b", priority: 1, countdown: 5 } });
  });

  test("sent several times: a task of its own each time", async () => {
    const app = testApp();
    const add = app.task("tasks.add", { queue: "sums" }, (x: number) => x);
    const signature = add.s(1);
    const first = await signature.delay();
    const second = await signature.applyAsync({ headers: { n: 2 } });
    expect(first.id).not.toBe(second.id);
    expect((await take(app, "sums")).message).toMatchObject({ id: first.id, args: [1], headers: {} });
    expect((await take(app, "sums")).message).toMatchObject({ id: second.id, args: [1], headers: { n: 2 } });
  });

  test("sent within a task: that task is its parent, wherever it was made", async () => {
    const app = testApp();
    const add = app.stub("tasks.add");
    const running: TaskContext = { ...localContext("tasks.outer", []), queue: "q", worker: "w1" };
    const signature = runInTask(running, () => add.s());
    await signature.delay();
    await runInTask(running, () => add.s().delay());
    expect((await take(app)).message).not.toHaveProperty("parentId");
    expect((await take(app)).message).toMatchObject({ parentId: running.id });
  });

  test("invalid call: refused when it is sent", async () => {
    const signature = testApp().stub("tasks.add").s(1);
    expect(await rejected(signature.set({ prio: 1 } as object).delay())).toEqual(failing("INVALID_OPTION", { got: "unknown" }));
    expect(await rejected(signature.applyAsync({ countdown: 1, eta: new Date() } as object))).toEqual(failing("INVALID_OPTION"));
  });
});
