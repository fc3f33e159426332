import type { Redis } from "ioredis";

/**
 * All that Redis holds under a prefix: the value of each key, with times, the prefix and what
 * chance decides replaced.
 */
export type Snapshot = Readonly<Record<string, unknown>>;

/**
 * Of the moment, not of the jobs: who scanned last, whether somebody was told to look, how many
 * started lately, and a counter that starts anew when somebody looks in vain.
 */
const passing = /:(stalled-check|marker|limiter|pc)$/;

export async function takeSnapshot(redis: Redis, prefix: string): Promise<Snapshot> {
  const keys = (await redis.keys(`${prefix}:*`)).filter((key) => !passing.test(key)).toSorted();
  const values = await Promise.all(keys.map((key) => read(redis, key)));
  const entries = keys.map((key, index): [string, unknown] => [key, values[index]]);
  return JSON.parse(withoutTimes(JSON.stringify(Object.fromEntries(entries)).replaceAll(prefix, "P"))) as Snapshot;
}

async function read(redis: Redis, key: string): Promise<unknown> {
  const type = await redis.type(key);
  switch (type) {
    case "string":
      return redis.get(key);
    case "list":
      return redis.lrange(key, 0, -1);
    case "set":
      return (await redis.smembers(key)).toSorted();
    case "zset":
      // By member: two jobs may have ended in the same millisecond.
      return Object.fromEntries(pairs(await redis.zrange(key, 0, "-1", "WITHSCORES")));
    case "hash":
      return fieldsOf(await redis.hgetall(key));
    case "stream":
      return eventsOf(await redis.xrange(key, "-", "+"));
    default:
      throw new Error(`${key} is a ${type}`);
  }
}

function fieldsOf(hash: Readonly<Record<string, string>>): unknown {
  const fields: Record<string, unknown> = { ...hash };
  for (const name of ["opts", "parent", "stacktrace"]) if (typeof fields[name] === "string") fields[name] = JSON.parse(fields[name]);
  const { stacktrace, opts } = fields;
  if (Array.isArray(stacktrace)) fields["stacktrace"] = stacktrace.map((stack) => String(stack).split("\n", 1)[0]);
  // Of a scheduler and its jobs: how long until the next one, and how far that is from a multiple
  // of the time between two, depends on when the test runs.
  if ("rjk" in fields) {
    fields["delay"] = "D";
    if (isRecord(opts)) {
      opts["delay"] = "D";
      if (isRecord(opts["repeat"]) && "offset" in opts["repeat"]) opts["repeat"]["offset"] = "O";
    }
  }
  if ("ic" in fields && "offset" in fields) fields["offset"] = "O";
  return fields;
}

/**
 * The events of each job in their order; which job was first depends on how fast the machine is. So
 * does `drained`, which is said whenever somebody looks in vain.
 */
function eventsOf(entries: readonly (readonly [id: string, fields: readonly string[]])[]): unknown {
  const jobs: Record<string, string[]> = {};
  for (const [, fields] of entries) {
    const { jobId = "none", ...event } = Object.fromEntries(pairs(fields));
    const text = Object.entries(event).flat().join(" ");
    // A job of a scheduler that is due by the time it is added need not be delayed.
    const known = jobId.startsWith("repeat:") ? text.replace(/^event delayed.*|(?<=^event waiting) prev delayed/, "") : text;
    if (known !== "" && known !== "event drained") (jobs[jobId] ??= []).push(known);
  }
  return jobs;
}

function pairs(list: readonly string[]): readonly (readonly [string, string])[] {
  return list.flatMap((item, index) => (index % 2 === 0 ? [[item, list[index + 1] ?? ""] as const] : []));
}

/** The runs of a scheduler numbered in their order, any other time as `T`. */
function withoutTimes(text: string): string {
  const run = /(repeat:[^"\s]*?:)(\d{13})/g;
  const runs = [...new Set([...text.matchAll(run)].map(([, , time]) => time))].toSorted();
  return text
    .replaceAll(run, (_, scheduler: string, time: string) => `${scheduler}run ${runs.indexOf(time)}`)
    .replaceAll(/(:?)\d{13,}(?:\.\d+)?(?=([,}\]])?)/g, (_, colon: string, end?: string) => (colon && end ? ':"T"' : `${colon}T`));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
