import type { RetentionOptions } from "./retention.js";
import { type ExchangeType, compileBindingKey } from "./exchange.js";
import { describe, refuse } from "./option.js";
import { type Queue, type QueueOption, compileQueue } from "./queue.js";

/** The declared queues and what they are bound to. Immutable. */
export class Topology {
  /** Names of the declared queues, in declared order. */
  readonly queues: readonly string[];
  /** Names of those that may get a copy of what another one gets: of those to which an exchange may send one message together, all but the first. */
  readonly copyQueues: readonly string[];
  readonly #given: readonly QueueOption[];
  readonly #declared: ReadonlyMap<string, Queue>;
  readonly #exchanges: ReadonlyMap<string, readonly Bound[]>;

  /**
   * Throws `INVALID_QUEUE_NAME` for a bad name and `INVALID_OPTION` for what is malformed, a queue that is declared twice, and an exchange
   * that is declared with two types.
   */
  constructor(given: readonly QueueOption[]) {
    if (!Array.isArray(given)) refuse("queues", describe(given), "an array of queues");
    this.#given = [...given];
    this.#declared = compileQueues(given);
    this.#exchanges = bindExchanges([...this.#declared.values()]);
    this.queues = Object.freeze([...this.#declared.keys()]);
    const copied = [...this.#exchanges.keys()].flatMap((exchange) => this.#copyQueuesOf(exchange));
    this.copyQueues = Object.freeze([...new Set(copied)]);
  }

  /** Whether `queue` is declared. */
  has(queue: string): boolean {
    return this.#declared.has(queue);
  }

  /** The exchange of the first binding of `queue`; `undefined` if the queue is not declared. */
  exchangeOf(queue: string): string | undefined {
    return this.#declared.get(queue)?.bindings[0].exchange;
  }

  /** What the declaration of `queue` says of what it keeps; `undefined` if it says nothing. */
  retentionOf(queue: string): RetentionOptions | undefined {
    return this.#declared.get(queue)?.retention;
  }

  /**
   * Names of the queues that get what is sent to `exchange` with `routingKey`: in declared order, each once. None if nothing matches, or
   * nobody declared the exchange. A fanout exchange ignores the key.
   */
  resolve(exchange: string, routingKey: string): readonly string[] {
    const bound = this.#exchanges.get(exchange) ?? [];
    return bound.filter(({ accepts }) => accepts.some((accept) => accept(routingKey))).map(({ queue }) => queue);
  }

  #copyQueuesOf(exchange: string): readonly string[] {
    const bindings = [...this.#declared.values()].flatMap((queue) => queue.bindings).filter((binding) => binding.exchange === exchange);
    const isDirect = bindings.every(({ type = "direct" }) => type === "direct");
    if (isDirect) return bindings.flatMap(({ routingKey }) => this.resolve(exchange, routingKey).slice(1));
    return (this.#exchanges.get(exchange) ?? []).slice(1).map(({ queue }) => queue);
  }

  /** This topology with `queue`, by its name alone, as its last; the same one if it is declared already. Throws as the constructor does. */
  including(queue: string): Topology {
    return this.has(queue) ? this : new Topology([...this.#given, queue]);
  }
}

/** A queue, as one exchange sees it. */
interface Bound {
  readonly queue: string;
  /** One for each binding between the two. */
  readonly accepts: ((routingKey: string) => boolean)[];
}

function compileQueues(given: readonly QueueOption[]): Map<string, Queue> {
  const declared = new Map<string, Queue>();
  for (const [index, option] of given.entries()) {
    const queue = compileQueue(option, `queues[${index}]`);
    if (declared.has(queue.name)) refuse(`queues[${index}]`, `"${queue.name}" again`, "every queue to be declared once");
    declared.set(queue.name, queue);
  }
  return declared;
}

function bindExchanges(queues: readonly Queue[]): Map<string, Bound[]> {
  const types = typesOf(queues);
  const exchanges = new Map<string, Bound[]>();
  for (const { name: queue, bindings } of queues) {
    for (const { exchange, routingKey } of bindings) {
      const accept = compileBindingKey(types.get(exchange)?.type ?? "direct", routingKey);
      const bound = exchanges.get(exchange) ?? [];
      exchanges.set(exchange, bound);
      const last = bound.at(-1);
      if (last?.queue === queue) last.accepts.push(accept);
      else bound.push({ queue, accepts: [accept] });
    }
  }
  return exchanges;
}

/** The type of each exchange that is declared with one, and the queue that declares it so. */
function typesOf(queues: readonly Queue[]): Map<string, { readonly type: ExchangeType; readonly queue: string }> {
  const types = new Map<string, { readonly type: ExchangeType; readonly queue: string }>();
  for (const { name: queue, bindings } of queues) {
    for (const { exchange, type } of bindings) {
      if (type === undefined) continue;
      const known = types.get(exchange);
      if (known === undefined) types.set(exchange, { type, queue });
      else if (known.type !== type) {
        refuse(`exchange ${describe(exchange)}`, `${type} for queue "${queue}"`, `${known.type}, as for queue "${known.queue}"`);
      }
    }
  }
  return types;
}
