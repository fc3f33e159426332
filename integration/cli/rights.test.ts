import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { createApp } from "@bullrush/client";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { compiledFixture } from "../lib/fixture.js";
import { startProgram, type Program } from "../lib/program.js";
import { taskWorker } from "../lib/task-worker.js";
import { serverBinary, startServer } from "../lib/server.js";

const fixture = compiledFixture("fixtures/tasks.ts", import.meta.url);
const taskBeat = fileURLToPath(new URL("../../packages/beat/bin/task-beat.js", import.meta.url));
const canary = "c4nary-pass";

if (serverBinary === undefined)
  console.log("skipped: servers with users and policies, because PATH has no redis-server and no valkey-server");

function start(file: string, url: string, args: readonly string[] = [], prefix = `rights-${randomUUID()}`): Program {
  return startProgram({
    file,
    args: ["-A", fixture, "--log-format", "json", ...args],
    env: { BULLRUSH_BROKER_URL: url, FIXTURE_PREFIX: prefix, FIXTURE_QUEUES: "one" },
  });
}

describe.skipIf(serverBinary === undefined)("a worker whose user lacks a right", () => {
  it.each(["lpush", "bzpopmin", "evalsha"])("says so, with user and command, and ends with 1: %s", async (command) => {
    await using server = await startServer();
    const redis = new Redis(server.url());
    await redis.call("ACL", "SETUSER", "ann", "on", `>${canary}`, "~*", "&*", "+@all", `-${command}`);
    redis.disconnect();
    const prefix = `rights-${randomUUID()}`;
    await using worker = start(taskWorker, server.url().replace("//", `//ann:${canary}@`), [], prefix);
    expect(await worker.exit).toEqual({ code: 1, signal: null });
    const reasons = [
      ...worker.entries.filter(({ msg }) => msg === "the worker cannot go on").map(({ reason }) => String(reason)),
      ...worker.errors,
    ];
    expect(reasons).toEqual([expect.stringContaining(`does not let user "ann" run the command ${command}`)]);
    expect(worker.lines.join()).not.toMatch(/cannot be reached|for 5000 ms/);
    expect([...worker.lines, ...worker.errors].join()).not.toContain(canary);
  });

  it("right revoked and granted again: no message is lost, and the worker goes on", async () => {
    await using server = await startServer();
    const redis = new Redis(server.url());
    const allow = (...rights: readonly string[]) => redis.call("ACL", "SETUSER", "ann", "on", `>${canary}`, "~*", "&*", "+@all", ...rights);
    await allow();
    const prefix = `rights-${randomUUID()}`;
    await using worker = start(taskWorker, server.url().replace("//", `//ann:${canary}@`), [], prefix);
    await worker.waitForEntry({ msg: "ready" });
    await using app = createApp({ broker: server.url(), prefix, queues: ["one"], defaultQueue: "one" });
    await (await app.sendTask("fixture.add", [1, 2])).get();
    await allow("-lpush");
    const sent = await Promise.all(Array.from({ length: 200 }, (_, number) => app.sendTask("fixture.add", [number, 1])));
    await worker.waitForEntry({ msg: "not all was taken or settled" });
    expect(await redis.llen(`${prefix}:one:wait`)).toBe(200);
    await allow();
    expect(await Promise.all(sent.map((result) => result.get()))).toEqual(sent.map((_, number) => number + 1));
    redis.disconnect();
  });
});

describe.skipIf(serverBinary === undefined)("a beat whose user lacks a right", () => {
  it("names all that is missing, and ends with 1", async () => {
    await using server = await startServer();
    const redis = new Redis(server.url());
    await redis.call("ACL", "SETUSER", "ann", "on", `>${canary}`, "~*", "&*", "+@all", "-zadd", "-hdel");
    redis.disconnect();
    await using beat = start(taskBeat, server.url().replace("//", `//ann:${canary}@`));
    expect(await beat.exit).toEqual({ code: 1, signal: null });
    expect(beat.errors).toEqual([expect.stringContaining('does not let user "ann" run the command hdel, zadd')]);
  });
});

describe.skipIf(serverBinary === undefined).each([
  ["task-worker", taskWorker],
  ["task-beat", taskBeat],
])("%s on a Redis that evicts keys", (name, file) => {
  it("ends with 1 and prints what to do", async () => {
    await using server = await startServer(["--maxmemory-policy", "allkeys-lru"]);
    await using program = start(file, server.url());
    expect(await program.exit).toEqual({ code: 1, signal: null });
    expect(program.errors).toEqual([expect.stringMatching(new RegExp(`^${name}: .*allkeys-lru.*noeviction.*--allow-eviction`))]);
  });

  it("starts with --allow-eviction, and warns", async () => {
    await using server = await startServer(["--maxmemory-policy", "allkeys-lru"]);
    await using program = start(file, server.url(), ["--allow-eviction"]);
    await program.waitForEntry({ msg: "ready" });
    expect(program.entries.filter(({ level }) => level === 40)).toMatchObject([{ msg: expect.stringMatching(/allkeys-lru.*noeviction/) }]);
  });
});
