import { describe, expect, inject, onTestFinished, test } from "vitest";
import { deadUrl, failing, openGate, rejected, take, testApp, timed } from "../support.js";

const secret = "canary-0d44";

/** Fails the test if a promise that nobody awaits rejects meanwhile. */
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
  test("nobody listens there: rejects within publishTimeout", async () => {
    noUnhandledRejections();
    const url = deadUrl;
    const app = testApp({ broker: url.replace("//", `//:${secret}@`), backend: inject("redisUrl"), publishTimeout: "400ms" });
    const add = app.task("tasks.add", (text: string) => text);
    const { value: error, took } = await timed(() => rejected(add.delay(secret)));
    expect(error).toEqual(failing("BROKER_UNAVAILABLE", { url: `${url}/0`, deadline: 400 }));
    expect(String(error)).toContain("may still be delivered");
    expect(JSON.stringify(error) + String(error) + String((error as Error).stack)).not.toContain(secret);
    expect(took).toBeLessThan(1400);
  });

  test("broker accepts and says nothing: rejects within publishTimeout", async () => {
    noUnhandledRejections();
    const gate = await openGate(inject("redisUrl"));
    gate.block();
    const app = testApp({ broker: gate.url, publishTimeout: 400 });
    const calls = () => Promise.all(Array.from({ length: 20 }, () => rejected(app.sendTask("tasks.a"))));
    const { value: errors, took } = await timed(calls);
    expect(errors).toEqual(errors.map(() => failing("BROKER_UNAVAILABLE", { deadline: 400 })));
    expect(took).toBeLessThan(1400);
  });

  test("broker falls silent later: rejects within publishTimeout", async () => {
    noUnhandledRejections();
    const gate = await openGate(inject("redisUrl"));
    const app = testApp({ broker: gate.url, publishTimeout: 400 });
    await app.sendTask("tasks.a");
    gate.block();
    const { value: error, took } = await timed(() => rejected(app.sendTask("tasks.b")));
    expect(error).toEqual(failing("BROKER_UNAVAILABLE"));
    expect(took).toBeLessThan(1400);
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

test("listener for connection errors: called with the service's name, without the password", async () => {
  noUnhandledRejections();
  const url = deadUrl.replace("//", `//:${secret}@`);
  const app = testApp({ broker: url, publishTimeout: 100 });
  const heard = new Set<string>();
  app.onTrouble((service, reason) => void heard.add(`${service}: ${reason}`));
  await rejected(app.sendTask("tasks.a"));
  expect([...heard]).toEqual([expect.stringMatching(/^broker: .*ECONNREFUSED/)]);
  expect([...heard].join()).not.toContain(secret);
});
