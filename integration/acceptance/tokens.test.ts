import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createApp } from "@bullrush/client";
import { Redis } from "ioredis";
import { expect, inject, test } from "vitest";
import { eventually } from "../lib/eventually.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { startWorker } from "../lib/task-worker.js";
import { makeProject } from "../lib/project.js";

const tasks = `
import { readFileSync } from "node:fs";
import { createApp } from "@bullrush/client";

const password = async () => readFileSync("token", "utf8");
const location = { url: process.env.TOKEN_URL, password };
export const app = createApp({ broker: location, backend: location, prefix: process.env.TOKEN_PREFIX });
export const add = app.task("add", (x: number, y: number) => x + y);
export const addLater = app.task("addLater", async (x: number, y: number) => (await add.delay(x, y)).id);
`;

/** The names of the connections of \`user\`, without their numbers. */
async function namesOf(admin: Redis, user: string): Promise<readonly string[]> {
  const lines = String(await admin.client("LIST")).split("\n");
  return lines.filter((line) => line.includes(` user=${user} `)).map((line) => / name=(\S*)/.exec(line)?.[1] ?? "");
}

test.each(["inline", "threads", "processes"])("token that changes: asked for by all connections, pool %s", async (pool) => {
  const [prefix, user] = [randomUUID(), `user-${randomUUID()}`];
  const url = inject("redisUrl").replace("://", `://${user}@`);
  const admin = new Redis(inject("redisUrl"), { replyMapping: "legacy" });
  using project = makeProject({ "tasks.ts": tasks, token: "none" });
  const file = join(project.directory, "token");

  /** Makes this the only valid token; connected clients have to connect anew. */
  async function rotate(token: string): Promise<void> {
    await admin.acl("SETUSER", user, "reset", "on", `>${token}`, "allcommands", "allkeys", "allchannels");
    writeFileSync(file, token);
    await admin.client("KILL", "USER", user);
  }

  try {
    await rotate("token-1");
    const location = { url, password: () => readFileSync(file, "utf8") };
    await using app = createApp({ broker: location, backend: location, prefix });
    await using worker = startWorker({
      app: "tasks.ts",
      args: ["-P", pool, "-c", "2"],
      cwd: project.directory,
      env: { BULLRUSH_BROKER_URL: undefined, TOKEN_URL: url, TOKEN_PREFIX: prefix },
    });
    await worker.ready;
    const sum = async (x: number, y: number) => {
      const id = await (await app.sendTask<string>("addLater", [x, y])).get({ timeout: hangTimeout });
      return app.asyncResult(id).get({ timeout: hangTimeout });
    };
    expect(await sum(1, 2)).toBe(3);
    const before = new Set(await namesOf(admin, user));
    // The guard is connected ahead: the token may be too old once it is needed.
    expect([...before].filter((name) => name.endsWith(":guard"))).toHaveLength(1);
    await rotate("token-2");
    expect(await sum(3, 4)).toBe(7);
    // Those that only listen are back, too.
    await eventually("all connections", async () => {
      const now = new Set(await namesOf(admin, user));
      return [...before].every((name) => now.has(name));
    });
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
    const written = [...worker.lines, ...worker.errors].join("\n");
    expect(written).not.toMatch(/token-\d/);
    expect(written).not.toContain("no guard thread");
  } finally {
    await admin.acl("DELUSER", user);
    admin.disconnect();
  }
});
