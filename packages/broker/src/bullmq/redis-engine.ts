import type { Engine, OnConnectionError } from "../ports/engine.js";
import { longestMessageOf } from "../protocol/codec.js";
import { redisControlBus } from "../redis/control-bus.js";
import { DeadLinks } from "../redis/dead-links.js";
import { compileLocation, type RedisLocation } from "../redis/location.js";
import { redisResultBackend } from "../redis/result-backend.js";
import { redisBroker } from "./redis-broker.js";
import { redisScheduleStore } from "./schedules/schedule-store.js";

export interface RedisEngineOptions {
  /** The Redis that holds the queues, flows and entries of beat. */
  readonly broker: RedisLocation;
  /** The Redis that holds the results. Default: the broker. */
  readonly backend?: RedisLocation;
  /** What the keys of all queues start with. Default: `bull`, so that BullMQ's tools find them. */
  readonly prefix?: string;
  /** Name of the app: beats tell by it whose entries are whose. Default: `app`. */
  readonly app?: string;
  /** Longest time until the broker has confirmed a message, in ms. Default: 5000. */
  readonly deadline?: number;
  /** Longest encoded message, in bytes. Default: 1 MiB. */
  readonly maxPayload?: number;
  /** Whether BullMQ's events are written. Default: true. */
  readonly bullmqEvents?: boolean;
}

/**
 * Everything on Redis. Queues are BullMQ's, so that its tools see the tasks. Broker and result
 * backend may be different servers or databases; where they are one server, results are stored in
 * the settlement. Nothing is connected before the first call.
 */
export function redisEngine({ broker: location, backend = location, app, prefix = "bull", ...options }: RedisEngineOptions): Engine {
  const { deadline, maxPayload, bullmqEvents } = options;
  let onConnectionError: OnConnectionError = () => {};
  // A link that one connection finds dead is dead for all of them.
  const deadLinks = new DeadLinks();
  const results = redisResultBackend({
    location: backend,
    deadLinks,
    ...(maxPayload !== undefined && { longestRecord: longestMessageOf(maxPayload) }),
    onConnectionError: (reason) => onConnectionError("backend", reason),
  });
  const shared = {
    location,
    prefix,
    deadLinks,
    onConnectionError: (reason: string) => onConnectionError("broker", reason),
  };
  const stored = { ...shared, ...(maxPayload !== undefined && { maxPayload }), ...(bullmqEvents !== undefined && { bullmqEvents }) };
  const { queues, flows, workers, consume, close } = redisBroker({
    ...stored,
    backend: results,
    ...(deadline !== undefined && { deadline }),
  });
  const control = redisControlBus(shared);
  const schedules = redisScheduleStore({ ...stored, ...(app !== undefined && { app }) });
  return {
    queues,
    results,
    flows,
    schedules,
    control,
    workers,
    display: { broker: compileLocation(location).display, backend: compileLocation(backend).display },
    consume,
    onConnectionError: (listener) => {
      onConnectionError = listener;
    },
    close: async () => {
      await Promise.all([close(), results.close(), control.close(), schedules.close()]);
    },
  };
}
