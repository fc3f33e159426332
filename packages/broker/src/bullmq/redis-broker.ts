import { steadyClock } from "../time/clock.js";
import { maxReplyToBytes, replyToAtEnd } from "../protocol/envelope.js";
import { defaultMaxPayload, maxMessageBytes } from "../protocol/payload-limit.js";
import type { ConsumeOptions, Consumer } from "../ports/consumer.js";
import type { BrokerFacets } from "../ports/engine.js";
import type { Remains, Location, Marked, QueueCounts, Revocation, TaskQuery } from "../ports/queues.js";
import type { Results } from "../ports/results.js";
import { openConnection } from "../redis/connection.js";
import type { DeadLinks } from "../redis/dead-links.js";
import { ownQueueKeys, queueKey, queuesKey } from "../redis/keys.js";
import { compileLocation, type CompiledLocation, type RedisLocation } from "../redis/location.js";
import type { RedisResultBackend } from "../redis/result-backend.js";
import { runScript } from "../redis/script.js";
import { redisWorkerNames } from "../redis/worker-names.js";
import { openConsumer } from "./consumer.js";
import { engineScript } from "./engine.js";
import { FlowStore } from "./flows/flow-store.js";
import { Standings } from "./flows/standings.js";
import { locateArguments, locationOf, type LocateReply } from "./locating.js";
import { queueNotes } from "./note-queues.js";
import { openPublisher } from "./publisher.js";
import { ResultStore } from "./result-store.js";
import { counted } from "../errors/words.js";

export interface RedisBrokerOptions {
  readonly location: RedisLocation;
  /** Where a consumer stores results before it settles; in the same call if it is a Redis result backend on the same server. */
  readonly backend: Results | RedisResultBackend;
  /** What the keys of all queues start with. Default: `bull`, so that BullMQ's tools find them. */
  readonly prefix?: string;
  /** Longest time until the broker has confirmed a message, in ms. Default: 5000. */
  readonly deadline?: number;
  /** Longest encoded message in bytes. Default: 1 MiB. */
  readonly maxPayload?: number;
  /** Whether BullMQ's events are written. Default: true. */
  readonly bullmqEvents?: boolean;
  /** Shared with the other connections of the app. */
  readonly deadLinks?: DeadLinks;
  readonly onConnectionError?: (reason: string) => void;
}

const scripts = {
  locate: engineScript("locate"),
  counts: engineScript("counts"),
  forget: engineScript("forget"),
  purge: engineScript("purge"),
  revoke: engineScript("revoke"),
};

/** How many bytes of messages are read in one call at most, so that Redis is there for others: 8 MiB take it about 10 ms. */
const maxRead = 8 * 1024 * 1024;

/** Most tasks that are forgotten in one call. */
const maxForgotten = 1000;

/** As `lua/bullmq/forget.lua` says it. */
const lefts = ["gone", "waiting", "running"] as const satisfies readonly Remains[];

/** What `lua/bullmq/revoke.lua` says of one task. */
type RevokeReply = 0 | 1 | readonly [taken: 0 | 1, queue: string, task: string, end: string, due: number];

/** Queues on BullMQ: each of ours is one of its queues, each message one of its jobs, so that its tools see them. */
export function redisBroker(options: RedisBrokerOptions): BrokerFacets {
  const {
    backend,
    prefix = "bull",
    deadline = 5000,
    maxPayload = defaultMaxPayload,
    bullmqEvents = true,
    deadLinks,
    onConnectionError,
  } = options;
  const location: CompiledLocation = { ...compileLocation(options.location), bullmqEvents };
  const shared = { ...(deadLinks && { deadLinks }), ...(onConnectionError && { onConnectionError }) };
  const commands = openConnection(location, { service: "broker", name: "bullrush:producer", holdsProcess: false, ...shared });
  const consumers = new Set<Consumer>();
  const noteQueues = queueNotes(prefix, steadyClock);
  const publish = openPublisher(commands, { prefix, deadline, maxPayload, noteQueues });

  const flows = new FlowStore(commands, { prefix, deadline, noteQueues });
  const standings = new Standings(flows);

  async function locate(tasks: readonly TaskQuery[]): Promise<readonly Location[]> {
    const found: Location[] = [];
    while (found.length < tasks.length) {
      const left = found.length === 0 ? tasks : tasks.slice(found.length);
      const args = locateArguments(prefix, left);
      const replies = await commands.run(
        { action: "tasks were not looked up", deadline, reads: true, doubts: isAnyAbsent },
        (client) => runScript(client, scripts.locate, [], [queuesKey(prefix), ...args]) as Promise<readonly LocateReply[]>,
      );
      found.push(...replies.map((reply, index) => locationOf(reply, (left[index] as TaskQuery).id)));
    }
    return found;
  }

  async function counts(queues: readonly string[]): Promise<readonly QueueCounts[]> {
    const keys = queues.map((queue) => queueKey(prefix, queue));
    const replies = await commands.run({ action: "queues were not counted", deadline, reads: true }, (client) =>
      runScript(client, scripts.counts, [], keys),
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

  async function forget(ids: readonly string[], queues: readonly string[]): Promise<readonly Remains[]> {
    const args = [`${prefix}:`, ownQueueKeys(prefix), queues.length, ...queues];
    const replies: (0 | 1 | 2)[] = [];
    while (replies.length < ids.length) {
      const left = ids.slice(replies.length, replies.length + maxForgotten);
      const some = await commands.run({ action: `${counted(left.length, "task was", "tasks were")} not forgotten`, deadline }, (client) =>
        runScript(client, scripts.forget, [queuesKey(prefix)], [...args, ...left]),
      );
      replies.push(...(some as readonly (0 | 1 | 2)[]));
    }
    return replies.map((reply) => lefts[reply]);
  }

  async function purge(queue: string): Promise<number> {
    const action = `queue "${queue}" was not purged`;
    return (await commands.run({ action, deadline }, (client) =>
      runScript(client, scripts.purge, [queueKey(prefix, queue)], []),
    )) as number;
  }

  async function revoke(
    ids: readonly string[],
    queues: readonly string[],
    { reason, terminate }: Revocation,
    elsewhere = false,
  ): Promise<readonly Marked[]> {
    const positions = [`${prefix}:`, elsewhere ? "1" : "", queues.length, ...queues];
    const args = [reason, terminate ? "1" : "", maxReplyToBytes, maxRead, Date.now(), ...positions];
    const replies: RevokeReply[] = [];
    while (replies.length < ids.length) {
      const left = ids.slice(replies.length);
      const some = await commands.run({ action: `${counted(left.length, "task was", "tasks were")} not revoked`, deadline }, (client) =>
        runScript(client, scripts.revoke, [queuesKey(prefix)], [...args, ...left]),
      );
      replies.push(...(some as readonly RevokeReply[]));
    }
    return replies.map((reply) => {
      if (typeof reply === "number") return { location: reply === 1 ? "ended" : "absent" };
      const [taken, queue, task, end, due] = reply;
      const location = taken === 1 ? "taken" : "waiting";
      return { location, queue, task, replyTo: replyToAtEnd(end), ...(due > 0 && { due }) };
    });
  }

  function consume(given: ConsumeOptions): Consumer {
    const consumer = openConsumer(
      { maxMessageBytes: maxMessageBytes(maxPayload), ...given },
      { location, results: new ResultStore(location, backend), prefix, ...shared },
    );
    consumers.add(consumer);
    return consumer;
  }

  async function close(): Promise<void> {
    commands.close();
    await Promise.all([...consumers].map((consumer) => consumer.close()));
  }

  return {
    queues: { publish, locate, counts, forget, purge, revoke },
    flows: {
      begin: (flow) => flows.start(flow),
      addMember: (addition) => flows.additions.add(addition),
      revoke: (flow, calls) => flows.callOff(flow, calls),
      standings: (messages) => standings.of(messages),
    },
    workers: redisWorkerNames(commands, prefix),
    consume,
    close,
  };
}

function isAnyAbsent(replies: readonly LocateReply[]): boolean {
  return replies.includes(0);
}
