import { BullrushError } from "../error.js";
import { defaultMaxPayload, encodeMessage } from "../protocol/codec.js";
import type { Message, RoutedMessage } from "../protocol/message.js";
import type { ConsumeOptions, Consumer, Location, QueueCounts, Transport } from "../ports/transport.js";
import type { ResultBackend } from "../ports/result-backend.js";
import { openConnection } from "../redis/connection.js";
import { queueKey } from "../redis/keys.js";
import { compileLocation, type RedisLocation } from "../redis/location.js";
import type { RedisResultBackend } from "../redis/result-backend.js";
import { runScript } from "../redis/script.js";
import { coalesced } from "./coalesced.js";
import { openConsumer } from "./consumer.js";
import { engineScript } from "./engine.js";
import { ResultStore } from "./result-store.js";

export interface BullmqTransportOptions {
  readonly location: RedisLocation;
  /** Where a consumer stores results before it settles; in the same call if it is a Redis result backend on the same server. */
  readonly backend: ResultBackend | RedisResultBackend;
  /** What the keys of all queues start with. Default: `bull`, so that BullMQ's tools find them. */
  readonly prefix?: string;
  /** Longest time until the broker has confirmed a message, in ms. Default: 5000. */
  readonly deadline?: number;
  /** Longest encoded message in bytes. Default: 1 MiB. */
  readonly maxPayload?: number;
  readonly onTrouble?: (reason: string) => void;
}

const scripts = {
  publish: engineScript("publish"),
  locate: engineScript("locate"),
  counts: engineScript("counts"),
  purge: engineScript("purge"),
};

/** Most messages that are enqueued in one call, so that none holds Redis for long. */
const mostPublished = 100;

type EncodedMessage = RoutedMessage & { readonly text: string };

const locations: readonly Location[] = ["absent", "waiting", "taken"];

/** Queues on BullMQ: each of ours is one of its queues, each message one of its jobs, so that its tools see them. */
export function bullmqTransport(options: BullmqTransportOptions): Transport {
  const { backend, prefix = "bull", deadline = 5000, maxPayload = defaultMaxPayload, onTrouble } = options;
  const location = compileLocation(options.location);
  const trouble = onTrouble && { onTrouble };
  const commands = openConnection(location, { service: "broker", name: "bullrush:producer", ...trouble });
  const consumers = new Set<Consumer>();
  const send = coalesced(mostPublished, sendAll);

  async function publish(messages: readonly RoutedMessage[]): Promise<readonly (BullrushError | undefined)[]> {
    return Promise.all(messages.map((routed) => publishOne(routed)));
  }

  /** The error of a message that was not enqueued. */
  async function publishOne(routed: RoutedMessage): Promise<BullrushError | undefined> {
    const { message } = routed;
    try {
      const reply = await send({ ...routed, text: encodeMessage(message, maxPayload) });
      return reply === 0 ? undefined : refused(message, String(reply));
    } catch (error) {
      if (error instanceof BullrushError) return error.code === "BROKER_UNAVAILABLE" ? unconfirmed(message, error) : error;
      throw error;
    }
  }

  /** One call, however many queues. A second try marks its messages: the first may have enqueued them, and they may be done by now. */
  function sendAll(sound: readonly EncodedMessage[]): Promise<readonly unknown[]> {
    const queues = [...new Set(sound.map(({ queue }) => queue))];
    const keys = queues.map((queue) => queueKey(prefix, queue));
    return commands.run({ action: `${sound.length} tasks not confirmed`, deadline }, async (client, repeated) => {
      const now = Date.now();
      const args = sound.flatMap(({ queue, message, text }) => {
        const delay = message.eta === undefined ? 0 : Math.max(0, Math.ceil(message.eta - now));
        const sent = repeated && message.resent !== true ? `${text.slice(0, -1)},"resent":true}` : text;
        return [queues.indexOf(queue) + 1, message.id, message.task, sent, message.priority, delay];
      });
      return (await runScript(client, scripts.publish, keys, [now, ...args])) as unknown[];
    });
  }

  /** What the sender of one message hears of a call that may have carried many. */
  function unconfirmed({ id }: Message, error: BullrushError): BullrushError {
    const action = `task ${id} not confirmed; it may still be delivered, and sending it again with the same id is safe`;
    return new BullrushError("BROKER_UNAVAILABLE", { ...(error as BullrushError<"BROKER_UNAVAILABLE">).details, action });
  }

  function refused(message: Message, reason: string): BullrushError {
    if (/\bOOM\b/.test(reason)) return new BullrushError("BROKER_FULL", { url: location.display });
    return new BullrushError("BROKER_UNAVAILABLE", {
      url: location.display,
      action: `task ${message.id} was not accepted`,
      deadline,
      reason,
    });
  }

  async function locate(ids: readonly { readonly id: string; readonly queues: readonly string[] }[]): Promise<readonly Location[]> {
    if (ids.length === 0) return [];
    const queues = [...new Set(ids.flatMap((entry) => entry.queues))];
    const args = ids.flatMap((entry) => [entry.id, entry.queues.length, ...entry.queues.map((queue) => queues.indexOf(queue) + 1)]);
    const replies = await commands.run({ action: "tasks were not looked up", deadline }, (client) =>
      runScript(
        client,
        scripts.locate,
        queues.map((queue) => queueKey(prefix, queue)),
        args,
      ),
    );
    return (replies as number[]).map((reply) => locations[reply] as Location);
  }

  async function counts(queues: readonly string[]): Promise<readonly QueueCounts[]> {
    const keys = queues.map((queue) => queueKey(prefix, queue));
    const replies = await commands.run({ action: "queues were not counted", deadline }, (client) =>
      runScript(client, scripts.counts, keys, []),
    );
    return (replies as [number, number, number, number, number][]).map(([waiting, delayed, active, completed, failed], index) => ({
      queue: queues[index] as string,
      waiting,
      delayed,
      active,
      completed,
      failed,
    }));
  }

  async function purge(queue: string): Promise<number> {
    const action = `queue "${queue}" was not purged`;
    return (await commands.run({ action, deadline }, (client) =>
      runScript(client, scripts.purge, [queueKey(prefix, queue)], []),
    )) as number;
  }

  function consume(given: ConsumeOptions): Consumer {
    const consumer = openConsumer(given, { location, results: new ResultStore(location, backend), prefix, ...trouble });
    consumers.add(consumer);
    return consumer;
  }

  async function close(): Promise<void> {
    commands.close();
    await Promise.all([...consumers].map((consumer) => consumer.close()));
  }

  return { publish, locate, counts, purge, consume, close };
}
