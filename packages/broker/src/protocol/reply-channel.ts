/** Channel on the result backend on which the client `client` waits for results. */
export function replyChannel(client: string): string {
  return `bullrush:reply:${client}`;
}

const start = replyChannel("");

/**
 * The client of a `replyChannel`, which is all that a message has to name; `undefined` for any
 * other channel.
 */
export function clientOf(channel: string): string | undefined {
  return channel.length > start.length && channel.startsWith(start) ? channel.slice(start.length) : undefined;
}

/** Whether `value` may be the name of a client. */
export function isClient(value: unknown): value is string {
  return typeof value === "string" && /^[^\p{Cc}]{1,200}$/u.test(value);
}

/**
 * Whether a reply may go to `value`: only to a client that waits for results, to no other channel.
 */
export function isReplyChannel(value: unknown): value is string {
  return typeof value === "string" && isClient(clientOf(value));
}
