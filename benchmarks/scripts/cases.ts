import type { Redis } from "ioredis";
import type { MeasuredScripts } from "./loaded.js";

/** What one call does, and how it is called. */
export interface ScriptCase {
  readonly title: string;
  readonly script: Exclude<keyof MeasuredScripts, "name">;
  /** Messages of each call; 0 if it finds none. */
  readonly messages: number;
  /** Whether an empty script is run with the same arguments. */
  readonly beside: boolean;
  /** Fills Redis for `calls` calls. */
  prepare(redis: Redis, calls: number): Promise<void>;
  /** Keys and arguments of call `number`, counted from 0. */
  call(number: number): ScriptCall;
}

export interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}

const prefix = "bull:costs:";
const own = "bullrush:queue:bull:costs:";
const message = '{"bullrush":2,"args":[1,2],"to":"0123456789"}';
const record =
  '{"state":"SUCCESS","delivery":1,"result":3,"task":"tasks.add","attempt":1,"queue":"costs","worker":"worker@host","startedAt":1795224751065,"endedAt":1795224751066}';

function nothing(title: string, turn: number): ScriptCase {
  return {
    title,
    script: "settleAndTake",
    messages: 0,
    beside: true,
    prepare: async () => undefined,
    call: (number) => ({ keys: [prefix, own], args: [...head(number, 1), 0, 0, 0, turn] }),
  };
}

function publish(messages: number): ScriptCase {
  return {
    title: `publish of ${messages}`,
    script: "publish",
    messages,
    beside: messages === 1,
    prepare: async () => undefined,
    call: (number) => {
      const ids = Array.from({ length: messages }, (_, index) => idOf(number * messages + index));
      return { keys: [prefix], args: [Date.now(), messages, ...ids.flatMap((id) => [id, "tasks.add", message])] };
    },
  };
}

function settleAndTake(messages: number): ScriptCase {
  return {
    title: `settle and take of ${messages}`,
    script: "settleAndTake",
    messages,
    beside: false,
    prepare: async (redis, calls) => fill(redis, calls * messages),
    call: (number) => {
      // The messages that the call before has taken: the oldest first, under the tokens of that call.
      const tasks = Array.from({ length: number === 0 ? 0 : messages }, (_, index) => ({
        id: idOf((number - 1) * messages + index),
        token: `t:${number - 1}:${index + 1}`,
      }));
      const settled = tasks.length === 0 ? [0] : [1, 1, "done", 1, tasks.length, 200 * tasks.length, 1000, 1e8, ""];
      const records = tasks.length === 0 ? [0] : [1, "bullrush:reply:0123456789", 86_400_000, tasks.length];
      return {
        keys: [prefix, own],
        args: [
          ...head(number, messages),
          ...settled,
          ...tasks.flatMap(({ id, token }) => [id, token]),
          ...records,
          ...tasks.flatMap(({ id }) => [id, 1, record]),
          0,
          1,
        ],
      };
    },
  };
}

/** The arguments of `settle-and-take` before its settlements. */
function head(number: number, wanted: number): readonly (string | number)[] {
  return [Date.now(), 60_000, "worker@host", `t:${number}`, wanted, "turns", 0, 0, "bullrush:result:", 16_384, 1e7];
}

function idOf(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

/** Sends `count` messages, in the form that `publish` gives them. */
async function fill(redis: Redis, count: number): Promise<void> {
  for (let first = 0; first < count; first += 1000) {
    const ids = Array.from({ length: Math.min(1000, count - first) }, (_, index) => idOf(first + index));
    const pipeline = redis.pipeline();
    for (const id of ids) {
      const fields = {
        name: "tasks.add",
        data: message,
        opts: `{"jobId":"${id}","attempts":0}`,
        timestamp: Date.now(),
        delay: 0,
        priority: 0,
      };
      pipeline.hset(`${prefix}${id}`, fields);
    }
    pipeline.lpush(`${prefix}wait`, ...ids);
    await pipeline.exec();
  }
}

export const scriptCases: readonly ScriptCase[] = [
  nothing("nothing to do", -1),
  nothing("nothing to do, and a look", 1),
  publish(1),
  publish(50),
  settleAndTake(1),
  settleAndTake(10),
  settleAndTake(100),
];
