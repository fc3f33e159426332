import { randomUUID } from "node:crypto";
import { encodeRecord } from "@bullrush/broker";
import { chain, createApp, type App } from "../../src/index.js";
import { redis } from "../redis.js";

/**
 * What a program may do with an app before it closes it, or not. Each resolves when the program is
 * through.
 */
export const scenarios: Readonly<Record<string, (url: string) => Promise<void>>> = {
  "a declaration, and no close": async (url) => {
    const app = open(url);
    const add = app.task("tasks.add", (x: number) => x + 1);
    if (add(1) !== 2) throw new Error("not run");
  },
  "a close before the first connection": async (url) => {
    await open(url).close();
  },
  "a call": async (url) => {
    const app = open(url);
    await app.sendTask("tasks.a", [1]);
    await app.close();
  },
  "a call that nobody awaits": async (url) => {
    const app = open(url);
    app.sendTask("tasks.a", [1]).catch(() => undefined);
    await app.close();
  },
  "a result": async (url) => {
    const app = open(url);
    const re = await app.sendTask("tasks.a", [1]);
    const get = re.get({ timeout: "1h", signal: new AbortController().signal });
    const record = encodeRecord({ state: "SUCCESS", delivery: 1, resultText: "7" });
    await app.engine.results.store([{ id: re.id, delivery: 1, expires: 60_000, record, replyTo: app.engine.results.replyChannel }]);
    if ((await get) !== 7) throw new Error("no result");
    await app.close();
  },
  "a result that still is awaited": async (url) => {
    const app = open(url);
    const re = await app.sendTask("tasks.a", [1]);
    const gets = [re.get({ timeout: "1h" }), app.asyncResult(re.id).get()].map((get) => get.catch(() => undefined));
    await re.status();
    await app.close();
    await Promise.all(gets);
  },
  "a close while it subscribes": async (url) => {
    const app = open(url);
    const re = await app.sendTask("tasks.a", [1]);
    const get = re.get({ timeout: "1h" }).catch(() => undefined);
    await app.close();
    await get;
  },
  "a wait that was given up": async (url) => {
    const app = open(url);
    const re = await app.sendTask("tasks.a", [1]);
    await re.get({ timeout: 50 }).catch(() => undefined);
    await re.get({ timeout: "1h", signal: AbortSignal.abort() }).catch(() => undefined);
    await app.close();
  },
  "a call, and no close": async (url) => {
    await open(url).sendTask("tasks.a", [1]);
  },
  "calls that nobody awaits, and no close": async (url) => {
    const app = open(url);
    app.sendTask("tasks.a", [1]).catch(() => undefined);
    app.publishAll([app.signature("tasks.a"), app.signature("tasks.a")]).catch(() => undefined);
  },
  "a canvas, a wait that was given up, and no close": async (url) => {
    const app = open(url);
    const re = await chain(app.signature("tasks.a"), app.signature("tasks.b")).delay();
    await re.get({ timeout: 50 }).catch(() => undefined);
    await re.status();
  },
  "a result, and no close": async (url) => {
    const app = open(url);
    const re = await app.sendTask("tasks.a", [1]);
    const get = re.get({ timeout: "1h" });
    const record = encodeRecord({ state: "SUCCESS", delivery: 1, resultText: "7" });
    await app.engine.results.store([{ id: re.id, delivery: 1, expires: 60_000, record, replyTo: app.engine.results.replyChannel }]);
    if ((await get) !== 7) throw new Error("no result");
  },
  "a revocation, an entry of beat, and no close": async (url) => {
    const app = open(url);
    await (await app.sendTask("tasks.a", [1])).revoke({ terminate: true });
    await app.beat.set("often", { task: "tasks.a", schedule: "1h" });
  },
  "a call, the loss of its connection, no further password, and no close": async (url) => {
    const user = `exit-${randomUUID()}`;
    await redis(url, "ACL", "SETUSER", user, "on", "nopass", "allcommands", "allkeys", "allchannels");
    let asked = 0;
    let onRefused = () => {};
    const refused = new Promise<void>((resolve) => (onRefused = resolve));
    const password = () => {
      if (++asked === 1) return "token";
      if (asked === 4) onRefused();
      throw new Error("no role");
    };
    const app = createApp({ broker: { url: url.replace("://", `://${user}@`), password }, prefix: `client-${randomUUID()}` });
    await app.sendTask("tasks.a", [1]);
    await redis(url, "CLIENT", "KILL", "USER", user);
    const held = setInterval(() => undefined, 1000);
    await refused;
    clearInterval(held);
    await redis(url, "ACL", "DELUSER", user);
  },
};

function open(url: string): App {
  return createApp({ broker: url, prefix: `client-${randomUUID()}` });
}
