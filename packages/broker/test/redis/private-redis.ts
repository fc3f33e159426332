import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { findBinaries } from "../../src/embedded/binary.js";
import { freePort } from "../../src/embedded/free-port.js";
import { eventually } from "../ports/waiting.js";

/** A port on which nobody listens, and that no test is given for a server. */
export const deadPort = 1;

/** The binary of the servers that are started here; without one their tests are skipped. */
export const redisBinary = findBinaries(process.env["PATH"] ?? "")[0];

/** A Redis for one test file alone, to be configured as no shared one may be. */
export interface PrivateRedis {
  readonly url: string;
  /** A client that is not subject to what is tested. */
  readonly client: Redis;
  stop(): Promise<void>;
}

/** Starts a server with `options` in the form of its command line, such as `["--cluster-enabled", "yes"]`. */
export async function startRedis(options: readonly string[] = []): Promise<PrivateRedis> {
  if (redisBinary === undefined) throw new Error("no redis-server on PATH");
  const folder = await mkdtemp(join(tmpdir(), "bullrush-test-redis-"));
  const port = await freePort();
  const all = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder, ...options];
  const server = spawn(redisBinary, all, { stdio: "ignore" });
  const client = new Redis(port, "127.0.0.1", { replyMapping: "legacy", maxRetriesPerRequest: null, retryStrategy: () => 20 });
  client.on("error", () => undefined);

  async function stop(): Promise<void> {
    client.disconnect();
    await end(server);
    await rm(folder, { recursive: true, force: true });
  }

  try {
    await eventually("Redis", () => {
      if (server.exitCode !== null) throw new Error(`${redisBinary} ended with code ${server.exitCode}`);
      return client.status === "ready";
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `redis://127.0.0.1:${port}`, client, stop };
}

async function end(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exit = once(server, "exit");
  server.kill("SIGKILL");
  await exit;
}
