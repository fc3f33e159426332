import { describe, expect, inject, test } from "vitest";
import { eventually, failing, openGate, redis, rejected, store, take, testApp, timed, waiting } from "../support.js";

const url = inject("redisUrl");
const byPolling = 2500;

/** Waits until the connections by which `app` hears of its results are subscribed again; the server may still count those that were lost. */
async function resubscribed(channel: string): Promise<void> {
  await eventually("a connection is subscribed that was not there before", async () => {
    const reply = await redis(url, "PUBSUB", "NUMSUB", channel);
    return Array.isArray(reply) && reply[1] === 1;
  });
}

describe("an outage", () => {
  test("of the subscription alone is mended, and no result is lost meanwhile", async () => {
    const app = testApp();
    const channel = app.backend.replyChannel;
    const [a, b] = [await app.sendTask("tasks.a"), await app.sendTask("tasks.a")];
    const { get } = await waiting(url, app, a);
    // Only a subscriber can be told apart by its channel: its age is that of the newest connection of that name.
    const clients = String(await redis(url, "CLIENT", "LIST", "TYPE", "pubsub"));
    const ids = Array.from(clients.matchAll(/^id=(\d+) .*name=bullrush:replies\b/gm), ([, id = ""]) => id);
    for (const id of ids.slice(-1)) expect(await redis(url, "CLIENT", "KILL", "ID", id)).toBe(1);
    await store(app, { id: a.id, replyTo: channel }, { result: 1 });
    expect(await get).toBe(1);
    await resubscribed(channel);
    const later = await waiting(url, app, b);
    await store(app, { id: b.id, replyTo: channel }, { result: 2 });
    expect(await later.get).toBe(2);
  });
});
