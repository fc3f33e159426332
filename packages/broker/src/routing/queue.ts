import { BullrushError } from "../errors/error.js";
import { compileRetention, defaultRetention, type RetentionOptions } from "./retention.js";
import { type ExchangeOption, type ExchangeType, isExchangeName, isExchangeType } from "./exchange.js";
import { describe, fieldsOf, refuse } from "./option.js";

/**
 * A queue as options declare it. A name alone, or an object with neither `exchange` nor `bindings`, is bound to a direct exchange of its own
 * name (Celery's automatic queues).
 */
export type QueueOption =
  | string
  | {
      /** Up to 200 characters; no `:`, no `,`, no whitespace, no control characters. */
      readonly name: string;
      /** Exchange that the queue is bound to. Default: a direct one of the queue's name. */
      readonly exchange?: ExchangeOption;
      /** Binding key on that exchange. Default: the queue's name. Not allowed with `bindings` alone. */
      readonly routingKey?: string;
      /** Further bindings, after the one to `exchange`, if that is given. */
      readonly bindings?: readonly BindingOption[];
      /** What it keeps of messages that have ended, where that differs from the app's `retention`. */
      readonly retention?: RetentionOptions;
    };

/** One more binding of a queue. */
export interface BindingOption {
  readonly exchange: ExchangeOption;
  /** Binding key. Default: the queue's name. */
  readonly routingKey?: string;
}

/** A declared queue, compiled. */
export interface Queue {
  readonly name: string;
  readonly bindings: readonly [Binding, ...Binding[]];
  readonly retention?: RetentionOptions;
}

/** That a queue gets what is sent to an exchange with a matching key. */
export interface Binding {
  /** Name of the exchange. */
  readonly exchange: string;
  /** Type of the exchange; absent where only its name was given. */
  readonly type?: ExchangeType;
  /** The binding key: what routing keys are compared with. */
  readonly routingKey: string;
}

/** `given` with its defaults. Throws `INVALID_QUEUE_NAME`, or `INVALID_OPTION` naming the place below `option`, such as `queues[0].exchange`. */
export function compileQueue(given: QueueOption, option: string): Queue {
  if (typeof given === "string") return { name: checkQueueName(given), bindings: [ownBinding(given, given)] };
  const fields = fieldsOf(
    given,
    option,
    ["name", "exchange", "routingKey", "bindings", "retention"],
    "the name of a queue, or an object with a name",
  );
  const name = checkQueueName(fields.get("name"));
  const retention = fields.get("retention");
  if (retention !== undefined) compileRetention(retention, defaultRetention(0), `${option}.retention`);
  const bindings = bindingsOf(fields, option, name);
  return retention === undefined ? { name, bindings } : { name, bindings, retention: retention as RetentionOptions };
}

function bindingsOf(fields: ReadonlyMap<string, unknown>, option: string, name: string): Queue["bindings"] {
  const routingKey = checkRoutingKey(fields.get("routingKey"), `${option}.routingKey`);
  const further = compileBindings(fields.get("bindings"), `${option}.bindings`, name);
  const exchange = fields.get("exchange");
  if (exchange !== undefined) {
    return [bind(exchange, `${option}.exchange`, routingKey ?? name), ...further];
  }
  const [first, ...rest] = further;
  if (first === undefined) return [ownBinding(name, routingKey ?? name)];
  if (routingKey === undefined) return [first, ...rest];
  return refuse(`${option}.routingKey`, describe(routingKey), "an exchange beside it, or a key in each of the bindings");
}

/** `name`. Throws `INVALID_QUEUE_NAME`, with the reason, if it may not be the name of a queue. */
export function checkQueueName(name: unknown): string {
  const flaw = findQueueNameFlaw(name);
  if (flaw === undefined) return name as string;
  const shown = typeof name === "string" ? describe(name).slice(1, -1) : describe(name);
  throw new BullrushError("INVALID_QUEUE_NAME", { queue: shown, reason: flaw });
}

/** Why `name` may not be the name of a queue; `undefined` if it may. */
export function findQueueNameFlaw(name: unknown): string | undefined {
  if (typeof name !== "string") return "it is not a string";
  if (name === "") return "it is empty";
  if (name.length > maxName) return `it has ${name.length} characters, and ${maxName} is the most`;
  return flaws.find(([pattern]) => pattern.test(name))?.[1];
}

const maxName = 200;

const flaws: readonly (readonly [pattern: RegExp, reason: string])[] = [
  [/:/, 'it contains ":", which BullMQ refuses'],
  [/,/, 'it contains ",", which separates queues in -Q'],
  [/\s/, "it contains whitespace"],
  [/\p{Cc}/u, "it contains a control character"],
  [/\p{Cs}/u, "it contains half of a surrogate pair, which Redis cannot keep"],
];

function ownBinding(name: string, routingKey: string): Binding {
  return { exchange: name, type: "direct", routingKey };
}

function compileBindings(given: unknown, option: string, queue: string): Binding[] {
  if (given === undefined) return [];
  if (!Array.isArray(given)) return refuse(option, describe(given), "an array of bindings");
  return Array.from(given, (binding: unknown, index) => {
    const at = `${option}[${index}]`;
    const fields = fieldsOf(binding, at, ["exchange", "routingKey"], "an object with an exchange");
    const routingKey = checkRoutingKey(fields.get("routingKey"), `${at}.routingKey`);
    return bind(fields.get("exchange"), `${at}.exchange`, routingKey ?? queue);
  });
}

function bind(given: unknown, option: string, routingKey: string): Binding {
  const expected = "the name of an exchange, or an object with a name and a type";
  if (isExchangeName(given)) return { exchange: given, routingKey };
  if (typeof given === "string") return refuse(option, describe(given), expected);
  const fields = fieldsOf(given, option, ["name", "type"], expected);
  const exchange = fields.get("name");
  const type = fields.get("type");
  if (!isExchangeName(exchange)) return refuse(`${option}.name`, describe(exchange), "the name of an exchange");
  if (type === undefined) return { exchange, routingKey };
  if (!isExchangeType(type)) return refuse(`${option}.type`, describe(type), '"direct", "topic" or "fanout"');
  return { exchange, type, routingKey };
}

function checkRoutingKey(given: unknown, option: string): string | undefined {
  if (given === undefined || typeof given === "string") return given;
  return refuse(option, describe(given), "a string");
}
