import { BullrushError } from "../errors/error.js";
import { type Destination, checkDestination, isSameDestination } from "./destination.js";
import { checkQueueName } from "./queue.js";
import { type Routes, type RouteTable, compileRoutes } from "./route.js";
import type { Topology } from "./topology.js";

export interface RouterOptions {
  /** The declared queues. */
  readonly topology: Topology;
  /** Routes by task. Default: none. */
  readonly routes?: RouteTable;
  /** Queue of the calls for which nobody names a queue, an exchange or a routing key. */
  readonly defaultQueue: string;
  /** Whether messages may go to queues that are not declared, the default queue included. Default: true. */
  readonly createMissingQueues?: boolean;
}

export interface RouteRequest {
  /** Name of the task. */
  readonly task: string;
  readonly args: readonly unknown[];
  /** Options of this call. Those that are no destination are left alone, and shown to route functions. */
  readonly call?: Destination;
  /** Options of the task's declaration. */
  readonly declared?: Destination;
}

/** Where a message goes. */
export interface Routing {
  /** At least one; each gets its own copy. */
  readonly queues: readonly string[];
  /** The exchange that chose the queues; absent when the queue was named. */
  readonly exchange?: string;
  /** The key by which it chose; absent when the queue was named. */
  readonly routingKey?: string;
  /** The priority that was asked for; absent if nobody did. */
  readonly priority?: number;
}

/**
 * Decides which queues a message goes to. Call wins over task declaration, that over route, that over the default:
 *
 * - The highest level that names a queue or an exchange decides, and hides those of the levels below. A queue wins over an exchange beside it:
 *   the message goes straight there.
 * - The routing key is that of the highest level that gives one, down to the level that decides: a call may choose the key for the
 *   exchange of its route, but never gets the key that was meant for another exchange. The default is the task's name (Celery uses one fixed key).
 * - If no level names a queue or an exchange, the message goes to the default queue, or, if a level gives a routing key, through the exchange
 *   of the default queue's first binding.
 * - The priority is that of the highest level that gives one.
 */
export class Router {
  /** The queues that routes name and to which messages may go, in the order written; those that a function gives are not known. */
  readonly routedQueues: readonly string[];
  readonly #topology: Topology;
  readonly #routes: Routes;
  readonly #defaultQueue: string;
  readonly #createMissingQueues: boolean;
  readonly #remembered = new Map<string, { readonly declared: Destination; readonly routing: Routing }>();

  /** Throws `INVALID_OPTION` for bad routes, `INVALID_QUEUE_NAME` for the default queue. */
  constructor({ topology, routes = [], defaultQueue, createMissingQueues = true }: RouterOptions) {
    this.#defaultQueue = checkQueueName(defaultQueue);
    this.#topology = createMissingQueues ? topology.including(defaultQueue) : topology;
    this.#routes = compileRoutes(routes);
    this.#createMissingQueues = createMissingQueues;
    this.routedQueues = Object.freeze(this.#routes.queues.filter((queue) => createMissingQueues || this.#topology.has(queue)));
  }

  /**
   * Where the message of a call goes. Throws `UNROUTABLE` if no queue is bound to the exchange with that key, `QUEUE_NOT_DECLARED` for
   * a queue that is not declared when `createMissingQueues` is off, and `INVALID_QUEUE_NAME` or `INVALID_OPTION` for a bad destination.
   */
  route(request: RouteRequest): Routing {
    const { task, call, declared } = request;
    if (!this.#routes.byName || !isSameDestination(call)) return this.#decide(request);
    const known = this.#remembered.get(task);
    if (known !== undefined && isSameDestination(known.declared, declared)) return known.routing;
    const routing = Object.freeze(this.#decide(request));
    if (this.#remembered.size >= maxRemembered) this.#remembered.clear();
    this.#remembered.set(task, { declared: { ...declared }, routing });
    return routing;
  }

  #decide({ task, args, call = {}, declared = {} }: RouteRequest): Routing {
    checkDestination(call);
    checkDestination(declared);
    const levels = [call, declared, this.#routes(task, args, call) ?? {}];
    const decisive = levels.findIndex(({ queue, exchange }) => queue !== undefined || exchange !== undefined);
    const { queue, exchange } = levels[decisive] ?? {};
    const priority = first(levels, "priority");
    const routingKey = first(decisive < 0 ? levels : levels.slice(0, decisive + 1), "routingKey");
    return {
      ...(queue === undefined ? this.#resolve(task, exchange, routingKey) : this.#goStraight(task, queue)),
      ...(priority !== undefined && { priority }),
    };
  }

  #resolve(task: string, given: string | undefined, key: string | undefined): Routing {
    const exchange = given ?? (key === undefined ? undefined : this.#topology.exchangeOf(this.#defaultQueue));
    if (exchange === undefined) return this.#goStraight(task, this.#defaultQueue);
    const routingKey = key ?? task;
    const queues = Object.freeze(this.#topology.resolve(exchange, routingKey));
    if (queues.length === 0) throw new BullrushError("UNROUTABLE", { task, exchange, routingKey });
    return { queues, exchange, routingKey };
  }

  #goStraight(task: string, queue: string): Routing {
    if (!this.#createMissingQueues && !this.#topology.has(queue)) {
      throw new BullrushError("QUEUE_NOT_DECLARED", { queue, task, declared: this.#topology.queues });
    }
    return { queues: Object.freeze([queue]) };
  }
}

/** Task names whose routing is kept; names may come from outside, so there is a limit. */
const maxRemembered = 1000;

/** What the highest of `levels` says that says anything. */
function first<F extends keyof Destination>(levels: readonly Destination[], field: F): Destination[F] | undefined {
  return levels.find((level) => level[field] !== undefined)?.[field];
}
