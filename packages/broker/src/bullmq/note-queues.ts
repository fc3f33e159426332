import type { Redis } from "ioredis";
import type { Clock } from "../time/clock.js";
import { queuesKey } from "../redis/keys.js";

/**
 * Notes on the broker that messages are sent to `queues`, for who looks for a task of which only
 * the id is known. To be called right before they are sent, on the same client: no round trip of
 * its own.
 */
export type NoteQueues = (client: Redis, queues: Iterable<string>) => void;

/** Most names that are remembered as noted: names may come from outside. */
const maxRemembered = 10_000;

/**
 * How long a name is taken for noted, in ms: somebody may have emptied the Redis meanwhile, which
 * cuts no connection.
 */
const believed = 60_000;

/**
 * Notes each queue under `prefix` once a minute on each connection, and again after it was lost:
 * the Redis behind it may be another. What cannot be noted is tried again at the next message.
 */
export function queueNotes(prefix: string, clock: Clock): NoteQueues {
  const key = queuesKey(prefix);
  const notedOn = new WeakMap<Redis, Map<string, number>>();

  /** When each name was noted. */
  function notedBy(client: Redis): Map<string, number> {
    let noted = notedOn.get(client);
    if (noted === undefined) {
      notedOn.set(client, (noted = new Map()));
      client.on("close", () => notedOn.get(client)?.clear());
    }
    return noted;
  }

  return (client, queues) => {
    const noted = notedBy(client);
    const now = clock.now();
    let fresh: string[] | undefined;
    for (const queue of queues) if ((noted.get(queue) ?? -Infinity) <= now - believed) (fresh ??= []).push(queue);
    if (fresh === undefined) return;
    if (noted.size + fresh.length > maxRemembered) noted.clear();
    for (const queue of fresh) noted.set(queue, now);
    const sent = fresh;
    client.sadd(key, ...sent).catch(() => {
      for (const queue of sent) noted.delete(queue);
    });
  };
}
