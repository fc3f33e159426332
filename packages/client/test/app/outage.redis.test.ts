import { redisEngine } from "@bullrush/broker";
import { describe, expect, inject, onTestFinished, test } from "vitest";
import { createApp } from "../../src/index.js";
import { deadUrl, failing, openGate, rejected, take, testApp } from "../support.js";

const secret = "canary-0d44";

/** Fails the test if a promise without a handler rejects meanwhile. */
function noUnhandledRejections(): void {
  const unhandled: unknown[] = [];
  const listener = (error: unknown) => void unhandled.push(error);
  process.on("unhandledRejection", listener);
  onTestFinished(() => {
    process.off("unhandledRejection", listener);
    expect(unhandled).toEqual([]);
  });
}

describe("call that cannot reach the broker", () => {
  test("no server there: rejects within publishTimeout", async () => {
    noUnhandledRejections();
    const url = deadUrl;
    const app = testApp({ broker: url.replace("//", `//:${secret}@`), backend: inject("redisUrl"), publishTimeout: "400ms" });
    const add = app.task("tasks.add", (text: string) => text);
    const error = await rejected(add.delay(secret));
    expect(error).toEqual(failing("BROKER_UNAVAILABLE", { url: `${url}/0`, deadline: 400 }));
    expect(String(error)).toContain("may still be delivered");
    expect(JSON.stringify(error) + String(error) + String((error as Error).stack)).not.toContain(secret);
  });

  test("broker accepts and never answers: rejects within publishTimeout", async () => {
    noUnhandledRejections();
    const gate = await openGate(inject("redisUrl"));
    gate.block();
    const app = testApp({ broker: gate.url, publishTimeout: 400 });
    const calls = () => Promise.all(Array.from({ length: 20 }, () => rejected(app.sendTask("tasks.a"))));
    const errors = await calls();
    expect(errors).toEqual(errors.map(() => failing("BROKER_UNAVAILABLE", { deadline: 400 })));
  });

  test("broker falls silent later: rejects within publishTimeout", async () => {
    noUnhandledRejections();
    const gate = await openGate(inject("redisUrl"));
    const app = testApp({ broker: gate.url, publishTimeout: 400 });
    await app.sendTask("tasks.a");
    gate.block();
    const error = await rejected(app.sendTask("tasks.b"));
    expect(error).toEqual(failing("BROKER_UNAVAILABLE", { deadline: 400 }));
  });

  test("connection lost only once: tries again and resolves", async () => {
    noUnhandledRejections();
    const gate = await openGate(inject("redisUrl"));
    const app = testApp({ broker: gate.url });
    await app.sendTask("tasks.a");
    gate.cut();
    const re = await app.sendTask("tasks.b");
    expect((await take(app)).message.task).toBe("tasks.a");
    expect((await take(app)).message.id).toBe(re.id);
  });
});

test.each([
  ["URLs", (url: string) => testApp({ broker: url, publishTimeout: 100 })],
  ["an engine that was given", (url: string) => createApp({ engine: redisEngine({ broker: url, deadline: 100 }) })],
])("a connection fails, app by %s: the listener hears of it, without the password", async (_, open) => {
  noUnhandledRejections();
  const app = open(deadUrl.replace("//", `//:${secret}@`));
  onTestFinished(() => app.close());
  const heard = new Set<string>();
  app.onConnectionError((service, reason) => void heard.add(`${service}: ${reason}`));
  await rejected(app.sendTask("tasks.a"));
  expect([...heard]).toEqual([expect.stringMatching(/^broker: .*ECONNREFUSED/)]);
  expect([...heard, JSON.stringify(app.engine.display)].join()).not.toContain(secret);
});
