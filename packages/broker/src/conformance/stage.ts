import type { ConsumeOptions, Consumer } from "../ports/consumer.js";
import type { Delivery } from "../ports/delivery.js";
import type { Engine } from "../ports/engine.js";
import type { Location, QueueCounts } from "../ports/queues.js";
import type { Message, RoutedMessage } from "../protocol/message.js";
import type { TaskRecord } from "../protocol/record.js";
import type { EngineSpace } from "./engine-space.js";

/** Longest time that is waited for anything, in ms of the space. */
const patience = 30_000;

/** Time between two looks, in ms. */
const interval = 20;

/** A fresh space, with what the cases do with it all the time. */
export class Stage {
  readonly space: EngineSpace;
  readonly engine: Engine;
  readonly other: Engine;

  constructor(space: EngineSpace) {
    this.space = space;
    this.engine = space.engine;
    this.other = space.other;
  }

  now(): number {
    return this.space.now();
  }

  /** A worker's side of some queues, by default of `feeds`, in turns, with a lease of 30 s. */
  consume(
    queues: readonly (string | { readonly name: string; readonly weight?: number })[] = ["feeds"],
    options: Partial<ConsumeOptions> = {},
  ): Consumer {
    return this.engine.consume({
      queues: queues.map((queue) => (typeof queue === "string" ? { name: queue } : queue)),
      order: "round-robin",
      lease: 30_000,
      worker: "worker-a",
      ...options,
    });
  }

  /** Publishes, and throws the first error. */
  async send(...messages: readonly RoutedMessage[]): Promise<void> {
    const errors = await this.engine.queues.publish(messages);
    const error = errors.find((found) => found !== undefined);
    if (error !== undefined) throw error;
  }

  async counts(queue = "feeds"): Promise<QueueCounts | undefined> {
    return (await this.engine.queues.counts([queue]))[0];
  }

  /** Where a task is, looked for in its queue alone; `taken` without what is known of the loan. */
  async locate({
    id,
    queue,
  }: Pick<Delivery, "id" | "queue">): Promise<Exclude<Location, { readonly taken: unknown }> | "taken" | undefined> {
    const [found] = await this.engine.queues.locate([{ id, queues: [queue] }]);
    return typeof found === "object" && "taken" in found ? "taken" : found;
  }

  async recordOf(id: string): Promise<TaskRecord | undefined> {
    return (await this.engine.results.read([id]))[0];
  }

  /**
   * Resolves with the first value that `look`, asked again and again while time passes, returns and
   * that is not `undefined` or `false`.
   */
  async eventually<T>(what: string, look: () => T | undefined | false | Promise<T | undefined | false>): Promise<T> {
    const end = this.now() + patience;
    for (;;) {
      const found = await look();
      if (found !== undefined && found !== false) return found;
      if (this.now() > end) throw new Error(`after ${patience} ms: no ${what}`);
      await this.space.pass(interval);
    }
  }

  /** Lets time pass until `promise` has settled. */
  async during<T>(promise: Promise<T>): Promise<T> {
    let hasSettled = false;
    const settled = () => (hasSettled = true);
    promise.then(settled, settled);
    await this.eventually("end of what is waited for", async () => {
      await Promise.resolve();
      return hasSettled;
    });
    return promise;
  }

  /** The next `count` messages, waited for as a worker with a free slot waits for them. */
  async hear(consumer: Consumer, count: number): Promise<readonly Delivery[]> {
    const heard: Delivery[] = [];
    await this.eventually(`${count} messages`, async () => {
      if (!consumer.hasWork()) await this.during(consumer.wait());
      heard.push(...(await take(consumer, count - heard.length)));
      return heard.length >= count;
    });
    return heard;
  }
}

/** What may be taken now, up to `count`. */
export async function take(consumer: Consumer, count: number): Promise<readonly Delivery[]> {
  return (await consumer.settleAndTake({ settle: [], take: count })).deliveries;
}

/** The one message that may be taken now. Throws if there is none. */
export async function takeOne(consumer: Consumer): Promise<Delivery> {
  const [delivery] = await take(consumer, 1);
  if (delivery === undefined) throw new Error("there is no message to take");
  return delivery;
}

/** As many messages as `count`, which may be taken now. Throws if there are fewer. */
export async function takeAll<Count extends 2 | 3 | 4>(consumer: Consumer, count: Count): Promise<Deliveries[Count]> {
  const deliveries = await take(consumer, count);
  if (deliveries.length < count) throw new Error(`there are ${deliveries.length} messages to take`);
  return deliveries as Deliveries[Count];
}

interface Deliveries {
  readonly 2: readonly [Delivery, Delivery];
  readonly 3: readonly [Delivery, Delivery, Delivery];
  readonly 4: readonly [Delivery, Delivery, Delivery, Delivery];
}

/** The message of a delivery. Throws for content that is none. */
export function contentOf({ content }: Delivery): Message {
  if (content.type === "undecodable") throw content.error;
  return content.message;
}

/** The first argument of each delivery's call. */
export function argumentsOf(deliveries: readonly Delivery[]): readonly unknown[] {
  return deliveries.map((delivery) => contentOf(delivery).args[0]);
}
