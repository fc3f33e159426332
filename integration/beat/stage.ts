import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { createApp, type App, type BeatEntry } from "@bullrush/client";
import { Redis } from "ioredis";
import { taskWorker } from "../lib/task-worker.js";
import { startProgram, type Program } from "../lib/program.js";
import { redisUrl } from "../lib/redis-url.js";

const taskBeat = fileURLToPath(new URL("../../packages/beat/bin/task-beat.js", import.meta.url));
const tasks = fileURLToPath(new URL("fixtures/tasks.mjs", import.meta.url));

export interface BeatStart {
  /** Default: the stage's. */
  readonly broker?: string;
  readonly args?: readonly string[];
}

/** A tick that was sent: the name of its entry, and when it was due, ms since the epoch. */
export interface SentTick {
  readonly entry: string;
  readonly due: number;
}

/** Beats of an app with a prefix of its own, and a consumer that takes what they send. */
export interface Stage extends AsyncDisposable {
  readonly app: App;
  readonly redis: Redis;
  /** Starts `task-beat`. */
  beat(options?: BeatStart): Program;
  /** Starts `task-worker -B`. */
  worker(): Program;
  /**
   * Takes all messages of the queue and removes their traces, so that nothing hides a message that
   * is sent twice. Returns all that were taken so far.
   */
  taken(): Promise<readonly SentTick[]>;
}

export function openStage(entries: Readonly<Record<string, BeatEntry>>, broker = redisUrl()): Stage {
  const prefix = `beat-${randomUUID()}`;
  const app = createApp({ broker, prefix, queues: ["one"], defaultQueue: "one", beat: entries });
  const redis = new Redis(broker, { replyMapping: "legacy" });
  redis.on("error", () => undefined);
  const ticks: SentTick[] = [];

  function start(file: string, { broker: own = broker, args = [] }: BeatStart): Program {
    const env = { BULLRUSH_BROKER_URL: own, BULLRUSH_RESULT_BACKEND: broker, BEAT_PREFIX: prefix, BEAT_ENTRIES: JSON.stringify(entries) };
    return startProgram({ file, args: ["-A", tasks, ...args], env });
  }

  async function taken(): Promise<readonly SentTick[]> {
    const messages = (await redis.eval(takeAll, 1, `${prefix}:one:`)) as readonly string[];
    for (const message of messages) {
      const [, entry = ""] = /"beat":"([^"]*)"/.exec(message) ?? [];
      const [, due = ""] = /"scheduledAt":"([^"]*)"/.exec(message) ?? [];
      ticks.push({ entry, due: Date.parse(due) });
    }
    return ticks;
  }

  async function end(): Promise<void> {
    redis.disconnect();
    await app.close();
  }

  return {
    app,
    redis,
    beat: (options = {}) => start(taskBeat, options),
    worker: () => start(taskWorker, { args: ["-B"] }),
    taken,
    [Symbol.asyncDispose]: end,
  };
}

const takeAll = `
  local messages = {}
  for _, id in ipairs(redis.call("LRANGE", KEYS[1] .. "wait", 0, -1)) do
    messages[#messages + 1] = table.concat(redis.call("HGETALL", KEYS[1] .. id), " ")
    redis.call("DEL", KEYS[1] .. id)
  end
  redis.call("DEL", KEYS[1] .. "wait")
  return messages
`;

/** Times from the first to the last of `dues`, `every` ms apart. */
export function grid(dues: readonly number[], every: number): readonly number[] {
  const first = Math.min(...dues);
  return Array.from({ length: Math.round((Math.max(...dues) - first) / every) + 1 }, (_, index) => first + index * every);
}

/** When the ticks of an entry were due, by time. */
export function duesOf(ticks: readonly SentTick[], entry: string): readonly number[] {
  return ticks.flatMap((tick) => (tick.entry === entry ? [tick.due] : [])).toSorted((one, other) => one - other);
}
