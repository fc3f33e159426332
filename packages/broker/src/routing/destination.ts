import { isExchangeName } from "./exchange.js";
import { describe, fieldsOf, refuse } from "./option.js";
import { checkQueueName, findQueueNameFlaw } from "./queue.js";

/** Where a call, a task or a route wants a message to go. Every field may be left out. */
export type Destination = {
  /** Queue to put it into, past all exchanges: `exchange` and `routingKey` beside it have no effect. */
  readonly queue?: string;
  /** Exchange to send it to. */
  readonly exchange?: string;
  /** Key by which the exchange chooses queues. */
  readonly routingKey?: string;
  /** Priority in its queue, an integer from 0 (first) to 9 (last). */
  readonly priority?: number;
};

/** `given` as a destination, without fields that are `undefined`. Throws `INVALID_OPTION`, naming the field below `option`. */
export function compileDestination(given: unknown, option: string): Destination {
  if (typeof given === "string") return { queue: checkQueueOption(given, option) };
  const fields = fieldsOf(
    given,
    option,
    ["queue", "exchange", "routingKey", "priority"],
    "the name of a queue, or an object with a destination",
  );
  for (const [field, value] of fields) {
    if (field === "queue") checkQueueOption(value, `${option}.queue`);
    else checkField(field, value, `${option}.${field}`);
  }
  return Object.freeze(Object.fromEntries(fields));
}

/**
 * Throws `INVALID_QUEUE_NAME` or `INVALID_OPTION` for a field of `given`, the options of a call or a task, that is not what it should be. Other
 * options may stand beside.
 */
export function checkDestination(given: Destination): void {
  if (given.queue !== undefined) checkQueueName(given.queue);
  for (const field of ["exchange", "routingKey", "priority"] as const) {
    if (given[field] !== undefined) checkField(field, given[field], field);
  }
}

/** Whether both say the same; nothing at all is the same as no field. */
export function isSameDestination(a: Destination = {}, b: Destination = {}): boolean {
  return a.queue === b.queue && a.exchange === b.exchange && a.routingKey === b.routingKey && a.priority === b.priority;
}

type Field = Exclude<keyof Destination, "queue">;

const expected: Readonly<Record<Field, string>> = {
  exchange: "the name of an exchange",
  routingKey: "a string",
  priority: "an integer from 0 (first) to 9 (last)",
};

const accepts: Readonly<Record<Field, (value: unknown) => boolean>> = {
  exchange: isExchangeName,
  routingKey: (value) => typeof value === "string",
  priority: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 9,
};

function checkField(field: Field, value: unknown, option: string): void {
  if (!accepts[field](value)) refuse(option, describe(value), expected[field]);
}

function checkQueueOption(name: unknown, option: string): string {
  const flaw = findQueueNameFlaw(name);
  return flaw === undefined ? (name as string) : refuse(option, describe(name), `the name of a queue (${flaw})`);
}
