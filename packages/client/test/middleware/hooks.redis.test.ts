import { expect, it, vi } from "vitest";
import { HookCalls } from "../../src/middleware/hook-calls.js";
import { chain, type HookEvent } from "../../src/index.js";
import { rejected, testApp } from "../support.js";

function openHooks() {
  const warnings: [string, unknown][] = [];
  return { warnings, hooks: new HookCalls((text, cause) => void warnings.push([text, cause])) };
}

const event: HookEvent<"workerReady"> = { worker: "w", queues: [] };

it("sent calls: the hook gets each, as it was sent", async () => {
  const told: unknown[] = [];
  const app = testApp().use({
    name: "m",
    publish: (calls, next) => next(calls.map((call) => ({ ...call, headers: { tenant: "a" } }))),
    on: { sent: ({ call: { id, task, headers } }) => void told.push({ id, task, headers }) },
  });
  const { id } = await app.sendTask("t");
  await chain(app.signature("a"), app.signature("b")).delay();
  expect(told).toMatchObject([
    { id, task: "t", headers: { tenant: "a" } },
    { task: "b", headers: { tenant: "a" } },
    { task: "a", headers: { tenant: "a" } },
  ]);
});

it("refused calls: the hook is not called", async () => {
  const told: unknown[] = [];
  const app = testApp().use({
    name: "m",
    publish: () => Promise.reject(new Error("no")),
    on: { sent: (sent) => void told.push(sent) },
  });
  await rejected(app.sendTask("t"));
  expect(told).toEqual([]);
});

it("a hook that throws while a call is sent: the call is sent, and the process is warned without the password", async () => {
  const warned = new Promise<Error>((resolve) => process.once("warning", resolve));
  const app = testApp().use({
    name: "m",
    on: {
      sent: () => {
        throw new Error("no redis://me:secret@host");
      },
    },
  });
  expect((await app.sendTask("t")).id).toBeDefined();
  expect((await warned).message).toBe('the hook "sent" of middleware "m" failed: no redis://***@host');
});

it("a hook that rejects: reported, and the others are called", async () => {
  const { hooks, warnings } = openHooks();
  const told: string[] = [];
  hooks.add({ name: "a", on: { workerReady: () => Promise.reject(new Error("no")) } });
  hooks.add({ name: "b", on: { workerReady: () => void told.push("b") } });
  hooks.tell("workerReady", event);
  expect(told).toEqual(["b"]);
  await vi.waitFor(() => expect(warnings).toEqual([['the hook "workerReady" of middleware "a" failed', new Error("no")]]));
});

it("a hook that never ends: called a thousand times at most, and reported", () => {
  const { hooks, warnings } = openHooks();
  let calls = 0;
  hooks.add({ name: "a", on: { workerReady: () => (calls++, new Promise<void>(() => {})) } });
  for (let count = 0; count < 1001; count++) hooks.tell("workerReady", event);
  expect(calls).toBe(1000);
  expect(warnings).toEqual([['the hook "workerReady" of middleware "a" is skipped', "1000 calls of it have not ended"]]);
});
