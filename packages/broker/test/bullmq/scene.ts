import type { Consumer } from "../../src/ports/consumer.js";
import { settlementOf as played } from "../ports/flow-play.js";
import { contentOf, settlementOf, storeOf } from "../ports/messages.js";
import { take } from "../ports/waiting.js";
import type { Bench } from "./bench.js";

/** One queue, to which something happens. */
export interface Scene {
  readonly bench: Bench;
  readonly prefix: string;
  readonly consumer: Consumer;
}

/** Has what is delayed be due. */
export async function letBeDue(bench: Bench, prefix: string): Promise<void> {
  for (const id of await bench.broker.redis.zrange(`${prefix}delayed`, 0, "-1"))
    await bench.broker.redis.zadd(`${prefix}delayed`, "XX", "4096", id);
}

/** As if the leases of all that is on loan had run out, and it were time for the next scan. */
export async function letLeasesEnd({ bench, prefix }: Scene): Promise<void> {
  const locks = await bench.broker.redis.keys(`${prefix}*:lock`);
  await bench.broker.redis.del(`${prefix}stalled-check`, ...locks);
}

/** Has all end well that is there, whoever had it. Gives what could not be read. */
export async function workOff(scene: Scene): Promise<readonly string[]> {
  const { bench, prefix } = scene;
  const consumer = bench.worker("worker-b");
  const unread: string[] = [];
  for (let quiet = 0, rounds = 0; quiet < 3 && rounds < 30; rounds++) {
    await letLeasesEnd(scene);
    await letBeDue(bench, prefix);
    await consumer.recover();
    await consumer.repairFlows(0);
    const deliveries = await take(consumer, 50);
    for (const { id, content } of deliveries) if (content.type === "undecodable") unread.push(id);
    const settle = deliveries
      .filter(({ content }) => content.type !== "undecodable")
      .map((delivery) =>
        contentOf(delivery).positions === undefined
          ? { ...settlementOf(delivery), store: storeOf(delivery.id, { delivery: delivery.number }) }
          : played(delivery),
      );
    if (settle.length > 0) await consumer.settleAndTake({ settle, take: 0 });
    quiet = deliveries.length === 0 ? quiet + 1 : 0;
  }
  return unread;
}

/** What is wrong with the queue, by then: jobs that are in no list, or in one where nothing is to be left. */
export async function flawsOf({ bench, prefix }: Scene): Promise<readonly string[]> {
  const { redis } = bench.broker;
  const flaws: string[] = [];
  for (const list of ["wait", "active", "paused"])
    flaws.push(...(await redis.lrange(prefix + list, 0, -1)).map((id) => `${id} in ${list}`));
  for (const set of ["delayed", "prioritized", "waiting-children"])
    flaws.push(...(await redis.zrange(prefix + set, 0, "-1")).map((id) => `${id} in ${set}`));
  const ended = new Set([...(await redis.zrange(`${prefix}completed`, 0, "-1")), ...(await redis.zrange(`${prefix}failed`, 0, "-1"))]);
  for (const key of await redis.keys(`${prefix}*`)) {
    if ((await redis.type(key)) !== "hash" || (await redis.hexists(key, "timestamp")) === 0) continue;
    if (!ended.has(key.slice(prefix.length))) flaws.push(`${key.slice(prefix.length)} in no list`);
  }
  return flaws;
}
