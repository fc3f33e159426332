import { Queue } from "bullmq";
import { Redis } from "ioredis";
import type { Consumer } from "../../src/ports/consumer.js";
import { stageOn, type Stage } from "../ports/stage.js";
import { openBroker, type RedisBroker } from "./broker.js";

/** One queue, with BullMQ's own tools beside ours. */
export interface Bench {
  readonly broker: RedisBroker;
  readonly stage: Stage;
  /** BullMQ's view of the queue `feeds`. */
  readonly queue: Queue;
  /** What any further tool needs to see the same queues; its connection is closed with the bench. */
  options(): { readonly connection: Redis; readonly prefix: string };
  /** `tool`, to be closed with the bench. */
  closed<T extends { close(): Promise<unknown> }>(tool: T): T;
  /** A worker of ours on `feeds`. */
  worker(name?: string): Consumer;
  close(): Promise<void>;
}

export function openBench(): Bench {
  const broker = openBroker();
  const stage = stageOn(broker);
  const tools: { close(): Promise<unknown> }[] = [];
  const connections: Redis[] = [];

  function options() {
    const connection = new Redis(broker.url, { maxRetriesPerRequest: null, replyMapping: "legacy" });
    connections.push(connection);
    return { connection, prefix: broker.prefix };
  }

  function closed<T extends { close(): Promise<unknown> }>(tool: T): T {
    tools.push(tool);
    return tool;
  }

  return {
    broker,
    stage,
    queue: closed(new Queue("feeds", options())),
    options,
    closed,
    worker: (name = "worker-a") => stage.consume(["feeds"], { worker: name }),
    close: async () => {
      await Promise.all(tools.map((tool) => tool.close()));
      for (const connection of connections) connection.disconnect();
      await broker.close();
    },
  };
}
