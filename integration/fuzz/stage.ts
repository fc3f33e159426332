import { constants, setPriority } from "node:os";
import { fileURLToPath } from "node:url";
import { createApp, type App } from "@bullrush/client";
import { Redis } from "ioredis";
import { eventually } from "../lib/eventually.js";
import { startProgram, type Program } from "../lib/program.js";
import { startServer } from "../lib/server.js";
import { prefix, queues } from "./plant.js";

const taskWorker = fileURLToPath(new URL("../../packages/worker/bin/task-worker.js", import.meta.url));
const taskBeat = fileURLToPath(new URL("../../packages/beat/bin/task-beat.js", import.meta.url));
const tasks = fileURLToPath(new URL("fixtures/tasks.mjs", import.meta.url));

/** A process of a stage. */
export interface Member {
  readonly name: "inline worker" | "threads worker" | "beat";
  readonly program: Program;
}

/** A server of its own, two workers and a beat, and a producer in this process. */
export interface Stage {
  readonly url: string;
  readonly app: App;
  readonly redis: Redis;
  /** What tasks leave that have no result. */
  readonly notes: Redis;
  readonly members: readonly Member[];
  close(): Promise<void>;
}

/**
 * Has Redis run before the rest of a busy machine, where that is allowed: its calls are timed by
 * the clock.
 */
async function prefer(redis: Redis): Promise<void> {
  const [, pid] = /process_id:(\d+)/.exec(await redis.info("server")) ?? [];
  try {
    setPriority(Number(pid), constants.priority.PRIORITY_HIGHEST);
  } catch {
    // Then they are compared with those of the twin alone.
  }
}

/** Slower calls than this are kept, in µs. */
const slow = 5000;

export async function openStage(): Promise<Stage> {
  const server = await startServer(["--slowlog-log-slower-than", String(slow), "--slowlog-max-len", "2000"]);
  const [url, notesUrl] = [server.url(), server.url({ database: 1 })];
  const env = { BULLRUSH_BROKER_URL: url, BULLRUSH_RESULT_BACKEND: url, FUZZ_NOTES: notesUrl };
  const start = (file: string, ...args: readonly string[]) => startProgram({ file, args: ["-A", tasks, "-l", "warn", ...args], env });
  const worker = (...args: readonly string[]) => start(taskWorker, "--lease", "3s", "--unregistered-grace", "2s", ...args);
  const members: readonly Member[] = [
    { name: "inline worker", program: worker("-n", "inline", "-c", "50") },
    { name: "threads worker", program: worker("-n", "threads", "-P", "threads", "-c", "2") },
    { name: "beat", program: start(taskBeat) },
  ];
  const redis = new Redis(url, { replyMapping: "legacy" });
  const notes = new Redis(notesUrl, { replyMapping: "legacy" });
  const app = createApp({ broker: url, backend: url, prefix, queues: [...queues], defaultQueue: "one", routes: { add: "two" } });
  async function close(): Promise<void> {
    await app.close();
    redis.disconnect();
    notes.disconnect();
    await Promise.all(members.map(({ program }) => program.kill()));
    await server.kill();
  }
  try {
    await prefer(redis);
    await eventually("both workers wait", async () => String(await redis.client("LIST")).split("cmd=bzpopmin").length > 2);
  } catch (error) {
    const said = members.map(({ name, program }) => `${name}: ${[...program.lines, ...program.errors].join("; ")}`);
    await close();
    throw new Error(said.join("\n"), { cause: error });
  }
  return { url, app, redis, notes, members, close };
}
