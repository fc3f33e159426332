/** Every Redis key that is ours is named here. BullMQ's own start with the queue's key. */

/** What BullMQ's keys of `queue` start with: `bull:<queue>:`. */
export function queueKey(prefix: string, queue: string): string {
  return `${prefix}:${queue}:`;
}

/** The names of all queues under `prefix` to which a message was ever sent, a set. */
export function queuesKey(prefix: string): string {
  return `bullrush:queues:${prefix}`;
}

/** What our own keys of queues under `prefix` start with; the name of a queue follows, and `:`. */
export function ownQueueKeys(prefix: string): string {
  return `bullrush:queue:${prefix}:`;
}

/**
 * What our own keys of `queue` start with; `retained` follows, `dead-letters`, or `dead-letter:`
 * and an id.
 */
export function ownQueueKey(prefix: string, queue: string): string {
  return `${ownQueueKeys(prefix)}${queue}:`;
}

/**
 * What the keys of flows under `prefix` start with; the id of a flow follows, and perhaps `:` and
 * one of its parts.
 */
export function flowKeys(prefix: string): string {
  return `bullrush:flow:${prefix}:`;
}

/**
 * The flows under `prefix` that have not ended, a sorted set by the time, in ms, at which each last
 * went on.
 */
export function flowIndexKey(prefix: string): string {
  return `bullrush:flows:${prefix}`;
}

/** Who holds the name of a worker under `prefix`, a hash. */
export function workerKey(prefix: string, name: string): string {
  return `bullrush:worker:${prefix}:${name}`;
}

/** The record of task `id`, a string of JSON. */
export function resultKey(id: string): string {
  return `bullrush:result:${id}`;
}

/** What the group `id` consists of, a string of JSON. */
export function groupKey(id: string): string {
  return `bullrush:group:${id}`;
}

/** Channel on the broker on which the workers of the queues under `prefix` are told what to do. */
export function controlChannel(prefix: string): string {
  return `bullrush:control:${prefix}`;
}

/** What the keys of the beats of an app under `prefix` start with: who leads, and the entries. */
export function beatKeys(prefix: string, app = "app"): string {
  return `bullrush:beat:${prefix}:${app}:`;
}

/**
 * The entries of an app under `prefix`, a sorted set by the time, in ms, at which each is due next;
 * 0: to be computed; +inf: never, or paused.
 */
export function beatIndexKey(prefix: string, app = "app"): string {
  return `${beatKeys(prefix, app)}due`;
}

/**
 * Channel on the broker on which the beats of an app under `prefix` hear that there is something
 * new.
 */
export function beatChannel(prefix: string, app = "app"): string {
  return `bullrush:beat:${prefix}:${app}`;
}
