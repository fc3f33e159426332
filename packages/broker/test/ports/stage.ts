import { BullrushError } from "../../src/error.js";
import type { RoutedMessage } from "../../src/protocol/message.js";
import type { Results } from "../../src/ports/results.js";
import type { ConsumeOptions, Consumer } from "../../src/ports/consumer.js";
import type { Delivery } from "../../src/ports/delivery.js";
import type { BrokerFacets } from "../../src/ports/engine.js";
import type { Location, QueueCounts } from "../../src/ports/queues.js";

/** What a engine is tested on: a broker in which there is nothing yet. */
export interface Broker {
  /** The backend in which its consumers store results. */
  readonly backend: Results;
  /** A client with connections of its own. */
  connect(): BrokerFacets;
  /** Closes what was opened here, and empties the broker. */
  close(): Promise<void>;
}

/** A broker with what the tests do with it all the time. */
export interface Stage {
  readonly broker: Broker;
  readonly engine: BrokerFacets;
  /** A worker's side, by default with turns and a lease of 30 s. */
  consume(queues: readonly (string | { readonly name: string; readonly weight?: number })[], options?: Partial<ConsumeOptions>): Consumer;
  /** Publishes, and throws the first error. */
  send(...messages: readonly RoutedMessage[]): Promise<void>;
  counts(queue: string): Promise<Omit<QueueCounts, "queue">>;
  /** Where it is, looked for in its queue alone; `taken` without what is known of the loan. */
  locate(delivery: Pick<Delivery, "id" | "queue">): Promise<Exclude<Location, { readonly taken: unknown }> | "taken" | undefined>;
}

export function stageOn(broker: Broker): Stage {
  const engine = broker.connect();
  return {
    broker,
    engine,
    consume: (queues, options) =>
      engine.consume({
        queues: queues.map((queue) => (typeof queue === "string" ? { name: queue } : queue)),
        order: "round-robin",
        lease: 30_000,
        worker: "worker-a",
        ...options,
      }),
    send: async (...messages) => {
      const errors = await engine.queues.publish(messages);
      const error = errors.find((found) => found instanceof BullrushError);
      if (error !== undefined) throw error;
    },
    counts: async (name) => {
      const [{ queue, ...counts }] = (await engine.queues.counts([name])) as [QueueCounts];
      if (queue !== name) throw new Error(`these are the counts of ${queue}`);
      return counts;
    },
    locate: async ({ id, queue }) => {
      const [found] = await engine.queues.locate([{ id, queues: [queue] }]);
      return typeof found === "object" && "taken" in found ? "taken" : found;
    },
  };
}
