import {
  BullrushError,
  compileLocation,
  defaultMaxPayload,
  Router,
  toMilliseconds,
  Topology,
  type Duration,
  type QueueOption,
  type RedisLocation,
  type RouteTable,
} from "@bullrush/broker";

/** Options of an app. All have defaults. */
export interface AppOptions {
  /** Shown by its workers. Default: `app`. */
  readonly name?: string;
  /** Redis that holds the queues. Default: `BULLRUSH_BROKER_URL`, else `redis://127.0.0.1:6379/0`. */
  readonly broker?: RedisLocation;
  /** Redis that holds the results. Default: `BULLRUSH_RESULT_BACKEND`, else the broker. */
  readonly backend?: RedisLocation;
  /** The queues, with their exchanges and routing keys. Default: the default queue alone. */
  readonly queues?: readonly QueueOption[];
  /** Where tasks go: a record of names and `*` patterns, an array of pairs (the first match wins), or a function. Default: to the default queue. */
  readonly routes?: RouteTable;
  /** Queue of the tasks that no route is for. Default: `default`. */
  readonly defaultQueue?: string;
  /** Whether a message may go to a queue that is not declared. Default: true. */
  readonly createMissingQueues?: boolean;
  /** What the keys of the queues start with in Redis. Default: `bull`, where BullMQ's tools look. */
  readonly prefix?: string;
  /** How long results are kept. Default: `"1d"`. */
  readonly resultExpires?: Duration;
  /** Longest time until the broker has confirmed a call. Default: `"5s"`. */
  readonly publishTimeout?: Duration;
  /** Longest encoded call or result in bytes. Default: 1 MiB. */
  readonly maxPayload?: number;
}

/** An app's options with every default in place. */
export interface CompiledOptions {
  readonly name: string;
  readonly broker: RedisLocation;
  readonly backend: RedisLocation;
  /** Names of the declared queues, the default queue included. */
  readonly queues: readonly string[];
  readonly defaultQueue: string;
  readonly router: Router;
  readonly prefix: string;
  /** In ms. */
  readonly resultExpires: number;
  /** In ms. */
  readonly publishTimeout: number;
  /** In bytes. */
  readonly maxPayload: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws `INVALID_OPTION`, `INVALID_URL` or `INVALID_QUEUE_NAME` for what does not fit. */
export function compileOptions(given: AppOptions, environment: Environment): CompiledOptions {
  checkNames(given);
  const broker = given.broker ?? environment["BULLRUSH_BROKER_URL"] ?? "redis://127.0.0.1:6379/0";
  const backend = given.backend ?? environment["BULLRUSH_RESULT_BACKEND"] ?? broker;
  compileLocation(broker);
  compileLocation(backend);
  const defaultQueue = given.defaultQueue ?? "default";
  const createMissingQueues = given.createMissingQueues ?? true;
  const declared = new Topology(given.queues ?? []);
  const topology = createMissingQueues ? declared.including(defaultQueue) : declared;
  return {
    name: given.name ?? "app",
    broker,
    backend,
    queues: topology.queues,
    defaultQueue,
    router: new Router({ topology, routes: given.routes ?? {}, defaultQueue, createMissingQueues }),
    prefix: given.prefix ?? "bull",
    resultExpires: toMilliseconds(given.resultExpires ?? "1d", "resultExpires"),
    publishTimeout: toMilliseconds(given.publishTimeout ?? "5s", "publishTimeout"),
    maxPayload: given.maxPayload ?? defaultMaxPayload,
  };
}

const names: readonly (keyof AppOptions)[] = [
  "name",
  "broker",
  "backend",
  "queues",
  "routes",
  "defaultQueue",
  "createMissingQueues",
  "prefix",
  "resultExpires",
  "publishTimeout",
  "maxPayload",
];

/** A misspelt option would otherwise be silently without effect. */
function checkNames(given: AppOptions): void {
  for (const option of Object.keys(given)) {
    if (names.includes(option as keyof AppOptions)) continue;
    throw new BullrushError("INVALID_OPTION", { option: `"${option}" of createApp()`, got: "unknown", expected: `one of ${names.join(", ")}` });
  }
}
