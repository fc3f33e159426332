import type { ConsumeOptions } from "../ports/consumer.js";
import type { Retention } from "../ports/retention.js";
import { ownQueueKey, queueKey } from "../redis/keys.js";
import { defaultRetention } from "../routing/retention.js";

/** A queue that a consumer takes from. */
export interface ConsumedQueue {
  readonly name: string;
  /** What our own keys of it start with. */
  readonly own: string;
  readonly retention: Retention;
}

/** How long results live, in ms, where nobody says it: a day. */
const defaultResultLifetime = 24 * 60 * 60 * 1000;

/** The queues of one consumer. Scripts know each of them by its number, from 1. */
export class ConsumedQueues {
  readonly list: readonly ConsumedQueue[];
  /** What BullMQ's keys of each queue start with. */
  readonly prefixes: readonly string[];
  /** Of each queue, what BullMQ's keys and what our own keys start with. */
  readonly scriptKeys: readonly string[];
  /** Index of each queue in `list`, by its name. */
  readonly indexes: ReadonlyMap<string, number>;

  constructor(prefix: string, queues: ConsumeOptions["queues"]) {
    this.list = queues.map(({ name, retention = defaultRetention(defaultResultLifetime) }) => ({
      name,
      own: ownQueueKey(prefix, name),
      retention,
    }));
    this.prefixes = queues.map(({ name }) => queueKey(prefix, name));
    this.scriptKeys = this.list.flatMap(({ own }, index) => [this.prefixes[index] as string, own]);
    this.indexes = new Map(queues.map(({ name }, index) => [name, index]));
  }

  /** The number of a queue of this consumer. */
  numberOf(name: string): number {
    return (this.indexes.get(name) as number) + 1;
  }

  nameOf(number: number): string {
    return (this.list[number - 1] as ConsumedQueue).name;
  }

  retentionOf(name: string): Retention {
    return (this.list[this.numberOf(name) - 1] as ConsumedQueue).retention;
  }
}
