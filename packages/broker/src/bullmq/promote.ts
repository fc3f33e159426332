import type { Consumer } from "../ports/consumer.js";
import type { Connection } from "../redis/connection.js";
import { runScript } from "../redis/script.js";
import { engineScript } from "./engine.js";
import { counted } from "../errors/words.js";

/** What promoting needs of its consumer. */
export interface PromoteOptions {
  readonly commands: Connection;
  /** What the keys of its queues start with. */
  readonly prefixes: readonly string[];
  /** The positions of its queues in `prefixes`. */
  readonly indexes: ReadonlyMap<string, number>;
  /** Longest time that a call may take, outages included, in ms. */
  readonly deadline: number;
}

/**
 * How many entries of lists one call looks at, so that it never holds Redis for much longer than 10
 * ms, and how many at least for each message.
 */
const limits = { looks: 1_000_000, least: 2000 };

const script = engineScript("promote");

/** What moves messages to the front of the queues of a consumer. */
export function openPromote({ commands, prefixes, indexes, deadline }: PromoteOptions): Consumer["promote"] {
  return async (messages) => {
    const known = messages.map(({ id, queues }) => ({ id, positions: queues.flatMap((queue) => indexes.get(queue) ?? []) }));
    const asked = known.filter(({ positions }) => positions.length > 0);
    if (asked.length === 0) return messages.map(() => false);
    const args = asked.flatMap(({ id, positions }) => [id, positions.length, ...positions.map((place) => place + 1)]);
    const depth = Math.max(limits.least, Math.floor(limits.looks / asked.length));
    const replies = (await commands.run(
      { action: `${counted(asked.length, "task was", "tasks were")} not moved to the front`, deadline },
      (client) => runScript(client, script, prefixes, [Date.now(), depth, ...args]),
    )) as (0 | 1)[];
    const moved = new Set(asked.filter((_, index) => replies[index] === 1));
    return known.map((one) => moved.has(one));
  };
}
