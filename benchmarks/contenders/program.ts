import { spawn, spawnSync, type ChildProcess, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Redis } from "ioredis";
import type { Body } from "./body.js";
import type { Sent } from "../measuring/setting.js";
import type { Contender, Producer } from "./contender.js";

/**
 * The commands of a library in another language. They run in `programs/`, with the Redis URL in
 * `BENCH_REDIS`.
 */
export interface Program {
  readonly id: string;
  readonly name: string;
  readonly share: number;
  readonly storesResults?: boolean;
  /** Prints its version, or fails when it is not installed; and how to install it. */
  readonly version: Command;
  readonly install: string;
  /** Reads requests as lines of JSON, and answers each with one line. */
  readonly client: Command;
  /** Its worker, which prints "takes tasks" on stderr when it consumes, and logs no tasks. */
  readonly worker: Command;
  /** The list in database 0 with the tasks that wait. */
  readonly waitingKey: string;
  /** How many tasks are done. */
  readonly done: (redis: Redis) => Promise<number>;
}

type Command = readonly [string, ...string[]];

type Request =
  | { readonly call: "send" | "send_bulk"; readonly body: Body; readonly first: number; readonly last: number }
  | { readonly call: "ask"; readonly body: Body; readonly number: number }
  | { readonly call: "results"; readonly ids: readonly string[] };

/** How long a worker may take to start, in ms. */
const patience = 60_000;

const folder = fileURLToPath(new URL("../../programs/", import.meta.url));

/** A contender that runs as programs of its own. */
export function program({ version, client, worker, waitingKey, done, ...contender }: Program): Contender {
  return {
    ...contender,
    outside: true,
    version: () => {
      const { status, stdout } = spawnSync(version[0], version.slice(1), { cwd: folder, encoding: "utf8" });
      return status === 0 ? stdout.trim() : undefined;
    },
    load: async () => undefined,
    produce: async ({ url, body }) => produce(start(client, url, ["pipe", "pipe", "inherit"]), body),
    consume: async ({ url }) => {
      const child = start(worker, url, ["ignore", "ignore", "pipe"]);
      await untilReady(child);
      return () => end(child);
    },
    queue: {
      waiting: (redis) => redis.llen(waitingKey),
      unfinished: async (redis, sent) => sent - (await done(redis)),
      // Failed tasks have no result, and are reported as missing.
      failed: async () => 0,
    },
  };
}

/** How many results there are, for those that keep each under a key of its own in database 1. */
export async function countResults(redis: Redis): Promise<number> {
  return Number(/^db1:keys=(\d+)/m.exec(await redis.info("keyspace"))?.[1] ?? 0);
}

function produce(child: ChildProcess, body: Body): Producer {
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("no pipes");
  const answers = createInterface(stdout)[Symbol.asyncIterator]();
  let last: Promise<unknown> = Promise.resolve();

  /** One at a time, in order. */
  function request<T>(what: Request): Promise<T> {
    const answer = last.then(async () => {
      stdin?.write(`${JSON.stringify(what)}\n`);
      const { value, done } = await answers.next();
      if (done === true) throw new Error(`the client ended at "${what.call}"`);
      return JSON.parse(value) as T;
    });
    last = answer;
    return answer;
  }

  return {
    send: (first, last) => request<readonly Sent[]>({ call: "send", body, first, last }),
    sendBulk: (first, last) => request<readonly Sent[]>({ call: "send_bulk", body, first, last }),
    ask: (number) => request({ call: "ask", body, number }),
    results: (sent) => request<readonly unknown[]>({ call: "results", ids: sent.map(({ id }) => id) }),
    close: async () => {
      stdin.end();
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}

/** In a process group of its own, which ends with this process. */
function start([file, ...args]: Command, url: string, stdio: StdioOptions): ChildProcess {
  const env = { ...process.env, BENCH_REDIS: url, PYTHONDONTWRITEBYTECODE: "1", PYTHONUNBUFFERED: "1" };
  const child = spawn(file, args, { cwd: folder, env, detached: true, stdio });
  process.once("exit", () => kill(child));
  return child;
}

/** Kills its process group. */
function kill({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has already ended.
  }
}

async function end(child: ChildProcess): Promise<void> {
  child.removeAllListeners("exit");
  const exited = once(child, "exit");
  kill(child);
  await exited;
}

async function untilReady(child: ChildProcess): Promise<void> {
  let said = "";
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const fail = (what: string) => reject(new Error(`the worker ${what}: ${said}`));
      timer = setTimeout(() => fail(`has not been ready for ${patience / 1000} s`), patience);
      child.stderr?.on("data", (chunk: Buffer) => {
        said = (said + chunk.toString()).slice(-4000);
        if (said.includes("takes tasks")) resolve();
      });
      child.once("error", reject);
      child.once("exit", () => fail("ended"));
    });
  } finally {
    clearTimeout(timer);
  }
}
