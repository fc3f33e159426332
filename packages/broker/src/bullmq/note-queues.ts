import type { Redis } from "ioredis";
import { queuesKey } from "../redis/keys.js";

/** Notes on the broker that messages are sent to `queues`, for who looks for a task of which only the id is known. To be called right before they are sent, on the same client: no round trip of its own. */
export type NoteQueues = (client: Redis, queues: Iterable<string>) => void;

/** Most names that are remembered as noted: names may come from outside. */
const mostRemembered = 10_000;

/** Notes each queue under `prefix` once on each connection, and again after it was lost: the Redis behind it may be another. What cannot be noted is tried again at the next message. */
export function queueNotes(prefix: string): NoteQueues {
  const key = queuesKey(prefix);
  const notedOn = new WeakMap<Redis, Set<string>>();

  function notedBy(client: Redis): Set<string> {
    let noted = notedOn.get(client);
    if (noted === undefined) {
      notedOn.set(client, (noted = new Set()));
      client.on("close", () => notedOn.get(client)?.clear());
    }
    return noted;
  }

  return (client, queues) => {
    const noted = notedBy(client);
    let fresh: string[] | undefined;
    for (const queue of queues) if (!noted.has(queue)) (fresh ??= []).push(queue);
    if (fresh === undefined) return;
    if (noted.size + fresh.length > mostRemembered) noted.clear();
    for (const queue of fresh) noted.add(queue);
    const sent = fresh;
    client.sadd(key, ...sent).catch(() => {
      for (const queue of sent) noted.delete(queue);
    });
  };
}
