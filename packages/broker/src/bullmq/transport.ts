import { defaultMaxPayload, longestReplyTo, replyToAtEnd } from "../protocol/codec.js";
import type { Flow } from "../protocol/flow.js";
import type { ConsumeOptions, Consumer, Location, Marked, QueueCounts, Revocation, Transport } from "../ports/transport.js";
import type { ResultBackend } from "../ports/result-backend.js";
import { openConnection } from "../redis/connection.js";
import { queueKey } from "../redis/keys.js";
import { compileLocation, type RedisLocation } from "../redis/location.js";
import type { RedisResultBackend } from "../redis/result-backend.js";
import { runScript } from "../redis/script.js";
import { openConsumer } from "./consumer.js";
import { engineScript } from "./engine.js";
import { FlowStore } from "./flows/flow-store.js";
import { openPublisher } from "./publisher.js";
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
  locate: engineScript("locate"),
  counts: engineScript("counts"),
  purge: engineScript("purge"),
  revoke: engineScript("revoke"),
};

/** How many bytes of messages are read in one call at most, so that Redis is there for others: 8 MiB take it about 10 ms. */
const mostRead = 8 * 1024 * 1024;

const locations = ["absent", "waiting", "taken"] as const;

/** Queues on BullMQ: each of ours is one of its queues, each message one of its jobs, so that its tools see them. */
export function bullmqTransport(options: BullmqTransportOptions): Transport {
  const { backend, prefix = "bull", deadline = 5000, maxPayload = defaultMaxPayload, onTrouble } = options;
  const location = compileLocation(options.location);
  const trouble = onTrouble && { onTrouble };
  const commands = openConnection(location, { service: "broker", name: "bullrush:producer", ...trouble });
  const consumers = new Set<Consumer>();
  const publish = openPublisher(commands, { prefix, deadline, maxPayload });

  const flows = new FlowStore(commands, { prefix, deadline });

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
    return (replies as (0 | 1 | 2 | string)[]).map((reply) => (typeof reply === "string" ? { revoked: reply } : locations[reply]));
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

  async function revoke(ids: readonly string[], queues: readonly string[], { reason, terminate }: Revocation): Promise<readonly Marked[]> {
    if (ids.length === 0) return [];
    const keys = queues.map((queue) => queueKey(prefix, queue));
    const args = [reason, terminate ? "1" : "", longestReplyTo, mostRead, Date.now(), ...ids];
    const replies = await commands.run({ action: `${ids.length} tasks were not revoked`, deadline }, (client) =>
      runScript(client, scripts.revoke, keys, args),
    );
    return (replies as (0 | 1 | [taken: 0 | 1, queue: number, task: string, end: string, due: number])[]).map((reply) => {
      if (typeof reply === "number") return { location: reply === 1 ? "ended" : "absent" };
      const [taken, queue, task, end, due] = reply;
      const location = taken === 1 ? "taken" : "waiting";
      return { location, queue: queues[queue - 1] as string, task, replyTo: replyToAtEnd(end), ...(due > 0 && { due }) };
    });
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

  const startFlow = (flow: Flow) => flows.start(flow);
  const revokeFlow = (flow: string, calls: "all" | readonly number[]) => flows.callOff(flow, calls);

  return { publish, startFlow, revokeFlow, locate, counts, purge, revoke, consume, close };
}
