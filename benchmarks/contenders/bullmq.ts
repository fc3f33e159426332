import { randomUUID } from "node:crypto";
import { Queue, QueueEvents, Worker, type ConnectionOptions } from "bullmq";
import type { Contender, Producer } from "./contender.js";

/**
 * BullMQ as it comes. What Bullrush does, it is asked to do: an id chosen by the producer, results kept (as return values), 1,000 completed jobs kept. The last is an
 * option of the worker, so that no message has to carry it.
 */
export function bullmq(name: string): Contender {
  const queueName = "bench";

  function produce(url: string): Producer {
    const connection = connectionTo(url);
    const queue = new Queue<readonly [number], number>(queueName, { connection });
    // Each result that is waited for listens here, and Node would warn.
    queue.setMaxListeners(0);
    let events: QueueEvents | undefined;
    const send = (number: number) => queue.add("echo", [number], { jobId: randomUUID() });
    return {
      send,
      ask: async (number) => {
        events ??= new QueueEvents(queueName, { connection }).setMaxListeners(0);
        await events.waitUntilReady();
        return (await send(number)).waitUntilFinished(events);
      },
      close: async () => {
        await events?.close();
        await queue.close();
      },
    };
  }

  async function consume(url: string, concurrency: number, body: (sent: number) => number): Promise<void> {
    const worker = new Worker<readonly [number], number>(queueName, async ({ data: [sent] }) => body(sent), {
      connection: connectionTo(url),
      concurrency,
      removeOnComplete: { count: 1000 },
    });
    worker.on("error", (error) => {
      throw error;
    });
    await worker.waitUntilReady();
  }

  return { name, queueKey: `bull:${queueName}`, produce, consume };
}

function connectionTo(url: string): ConnectionOptions {
  const { hostname, port } = new URL(url);
  return { host: hostname, port: Number(port), maxRetriesPerRequest: null };
}
