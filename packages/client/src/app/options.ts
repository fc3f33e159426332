import {
  compileLocation,
  compileRetention,
  defaultMaxPayload,
  defaultRetention,
  isMemoryUrl,
  maxTimerDelay,
  memoryNameIn,
  Router,
  toMilliseconds,
  Topology,
  type Duration,
  type Engine,
  type QueueOption,
  type RedisLocation,
  type Retention,
  type RetentionOptions,
  type RouteTable,
} from "@bullrush/broker";
import { compileEntries, type BeatEntry, type CompiledEntry } from "../beat/entry.js";
import {
  checkOptions,
  isDuration,
  isFlag,
  isLifetime,
  isName,
  isQueue,
  isSize,
  isTimeZone,
  kindOf,
  refuse,
  type Check,
} from "../options/check.js";

/**
 * Options of an app. All have defaults. `Calls` maps the names of its periodic calls to their
 * arguments.
 */
export interface AppOptions<Calls extends Record<string, unknown[]> = Record<string, unknown[]>> {
  /**
   * Shown by the app's workers. Beats use it to tell the entries of one app from another's.
   * Default: `app`.
   */
  readonly name?: string;
  /**
   * Redis that holds the queues; `memory://` keeps everything in the memory of this process, and
   * `memory://name` shares it among the apps of the process that name it. Default:
   * `BULLRUSH_BROKER_URL`, else `redis://127.0.0.1:6379/0`.
   */
  readonly broker?: RedisLocation;
  /**
   * Redis that holds the results. Not allowed beside a broker in memory. Default:
   * `BULLRUSH_RESULT_BACKEND`, else the broker.
   */
  readonly backend?: RedisLocation;
  /**
   * The engine, instead of `broker` and `backend`: `redisEngine({ ... })`, or one of your own. The
   * app closes it. Default: the Redis engine on `broker` and `backend`.
   */
  readonly engine?: Engine;
  /**
   * The queues, with their exchanges and routing keys. Queues that routes, tasks and entries of
   * `beat` name need not be listed. Default: the default queue alone.
   */
  readonly queues?: readonly QueueOption[];
  /**
   * Where tasks go: a record of names and `*` patterns, an array of pairs (the first match wins),
   * or a function. Default: to the default queue.
   */
  readonly routes?: RouteTable;
  /** Queue of the tasks without a route. Default: `default`. */
  readonly defaultQueue?: string;
  /** Whether a message may go to a queue that is not declared. Default: true. */
  readonly createMissingQueues?: boolean;
  /** Prefix of the queues' keys in Redis. Default: `bull`, which BullMQ's tools expect. */
  readonly prefix?: string;
  /** How long results are kept, at least 1 ms. Default: `"1d"`. */
  readonly resultExpires?: Duration;
  /**
   * What queues keep of messages that have ended, by count, age and bytes; a queue's own
   * `retention` wins. Results live for `resultExpires` in any case.
   */
  readonly retention?: RetentionOptions;
  /**
   * Whether to write BullMQ's event stream, which `QueueEvents` and other BullMQ tools read.
   * Default: true.
   */
  readonly bullmqEvents?: boolean;
  /** Maximum time for the broker to confirm a call. Default: `"5s"`. */
  readonly publishTimeout?: Duration;
  /** Maximum size of an encoded call or result, in bytes. Default: 1 MiB. */
  readonly maxPayload?: number;
  /** The periodic calls that a beat sends, by name. Default: none. */
  readonly beat?: { readonly [Name in keyof Calls]: BeatEntry<Calls[Name]> };
  /** IANA time zone of the schedules that have none of their own. Default: `UTC`. */
  readonly timezone?: string;
}

/** An app's options with every default in place. */
export interface CompiledOptions {
  readonly name: string;
  readonly broker: RedisLocation;
  readonly backend: RedisLocation;
  /** The engine of the options. Absent: the URLs decide. */
  readonly engine?: Engine;
  /** Whether the engine's state lives in this process. */
  readonly isLocal: boolean;
  /**
   * Names of the declared queues: those of `queues`, the default queue, and those that routes,
   * entries of `beat` and tasks name.
   */
  readonly queues: readonly string[];
  /** Names of the queues that may get copies of other queues' messages. */
  readonly copyQueues: readonly string[];
  readonly createMissingQueues: boolean;
  readonly defaultQueue: string;
  readonly router: Router;
  readonly prefix: string;
  /** In ms. */
  readonly resultExpires: number;
  /** What a queue keeps of messages that have ended. */
  readonly retentionOf: (queue: string) => Retention;
  readonly bullmqEvents: boolean;
  /** In ms. */
  readonly publishTimeout: number;
  /** In bytes. */
  readonly maxPayload: number;
  readonly beat: readonly CompiledEntry[];
  readonly timezone: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Compiles the options of an app. Throws `INVALID_OPTION`, `INVALID_URL` or `INVALID_QUEUE_NAME`;
 * for an entry of `beat` also `INVALID_TASK_NAME` and `ENCODE_ERROR`.
 */
export function compileOptions(given: AppOptions, environment: Environment): CompiledOptions {
  // A misspelt option would otherwise have no effect, silently.
  checkOptions(given, checks, "of createApp()");
  if (given.engine !== undefined && (given.broker !== undefined || given.backend !== undefined)) {
    refuse("engine", "an engine beside broker or backend", "either the engine or the URLs");
  }
  // An empty variable counts as absent.
  const broker = given.broker ?? (environment["BULLRUSH_BROKER_URL"] || "redis://127.0.0.1:6379/0");
  const backend = given.backend ?? (environment["BULLRUSH_RESULT_BACKEND"] || broker);
  if (given.engine === undefined) checkLocations(broker, backend);
  const defaultQueue = given.defaultQueue ?? "default";
  const createMissingQueues = given.createMissingQueues ?? true;
  const timezone = given.timezone ?? "UTC";
  const declared = new Topology(given.queues ?? []);
  const topology = createMissingQueues ? declared.including(defaultQueue) : declared;
  const router = new Router({ topology, routes: given.routes ?? {}, defaultQueue, createMissingQueues });
  const resultExpires = toMilliseconds(given.resultExpires ?? "1d", "resultExpires");
  const retention = compileRetention(given.retention, defaultRetention(resultExpires));
  const beat = compileEntries(given.beat ?? {}, timezone);
  // Without missing queues, a message can only go to a queue that is listed under `queues`.
  const calledQueues = createMissingQueues ? beat.flatMap(({ call }) => (call.options?.["queue"] as string | undefined) ?? []) : [];
  return {
    name: given.name ?? "app",
    broker,
    backend,
    ...(given.engine !== undefined && { engine: given.engine }),
    isLocal: given.engine === undefined ? isMemoryUrl(broker) : given.engine.isLocal === true,
    queues: [...new Set([...topology.queues, ...router.routedQueues, ...calledQueues])],
    copyQueues: topology.copyQueues,
    createMissingQueues,
    defaultQueue,
    router,
    prefix: given.prefix ?? "bull",
    resultExpires,
    retentionOf: (queue) => compileRetention(topology.retentionOf(queue), retention),
    bullmqEvents: given.bullmqEvents ?? true,
    publishTimeout: Math.min(toMilliseconds(given.publishTimeout ?? "5s", "publishTimeout"), maxTimerDelay),
    maxPayload: given.maxPayload ?? defaultMaxPayload,
    beat,
    timezone,
  };
}

/**
 * Throws `INVALID_URL`, and `INVALID_OPTION` for a result backend beside a broker in memory: its
 * engine holds the results too.
 */
function checkLocations(broker: RedisLocation, backend: RedisLocation): void {
  if (!isMemoryUrl(broker) && !isMemoryUrl(backend)) {
    compileLocation(broker);
    compileLocation(backend);
    return;
  }
  if (!isMemoryUrl(broker)) refuse("backend", "in memory, beside a broker on Redis", "a Redis, or a broker in memory");
  memoryNameIn(broker);
  if (backend !== broker) {
    refuse("backend (or BULLRUSH_RESULT_BACKEND)", "given beside a broker in memory", "none: what is in memory holds the results too");
  }
}

/** Adds the queue that a task's declaration names, if any, to `options`. */
export function withQueueOf({ queue }: { readonly queue?: string }, options: CompiledOptions): CompiledOptions {
  const { queues, createMissingQueues } = options;
  if (queue === undefined || !createMissingQueues || queues.includes(queue)) return options;
  return { ...options, queues: [...queues, queue] };
}

const checks: Record<keyof AppOptions, Check> = {
  name: isName,
  broker: isLocation,
  backend: isLocation,
  engine: isEngine,
  queues: leftToOthers,
  routes: leftToOthers,
  defaultQueue: isQueue,
  createMissingQueues: isFlag,
  prefix: isName,
  resultExpires: isLifetime,
  retention: leftToOthers,
  bullmqEvents: isFlag,
  publishTimeout: isDuration,
  maxPayload: isSize,
  beat: leftToOthers,
  timezone: isTimeZone,
};

/** The topology, the router, the retention and the entries check their own options. */
function leftToOthers(): void {}

function isEngine(value: unknown, option: string): void {
  if (typeof value !== "object" || value === null || !("queues" in value) || !("consume" in value)) {
    refuse(option, kindOf(value), "an engine, such as redisEngine() returns");
  }
}

/**
 * Any other value would count as options that leave every default, and the tasks would go to the
 * Redis of this machine.
 */
function isLocation(value: unknown, option: string): void {
  if (typeof value === "string") return;
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof URL) {
    refuse(option, kindOf(value), "a URL as a string, or ioredis options");
  }
}
