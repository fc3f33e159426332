import type { QueueView } from "./contender.js";

/** Names of `count` queues. */
export function queueNames(count: number): readonly [string, ...string[]] {
  return ["bench", ...Array.from({ length: count - 1 }, (_, index) => `bench-${index + 2}`)];
}

/** The queues, by BullMQ's keys. */
export function bullQueues(names: readonly string[]): QueueView {
  const sum = async (count: (key: string) => Promise<number>): Promise<number> => {
    const counts = await Promise.all(names.map((name) => count(`bull:${name}`)));
    return counts.reduce((total, one) => total + one, 0);
  };
  return {
    waiting: (redis) => sum((key) => redis.llen(`${key}:wait`)),
    unfinished: (redis) => sum(async (key) => (await redis.llen(`${key}:wait`)) + (await redis.llen(`${key}:active`))),
    failed: (redis) => sum((key) => redis.zcard(`${key}:failed`)),
  };
}
