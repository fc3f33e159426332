/** Channel on the result backend on which the client `client` hears of its results. */
export function replyChannel(client: string): string {
  return `bullrush:reply:${client}`;
}

const start = replyChannel("");

/** The client of a `replyChannel`, which is all that a message has to name; `undefined` for any other channel. */
export function clientOf(channel: string): string | undefined {
  return channel.length > start.length && channel.startsWith(start) ? channel.slice(start.length) : undefined;
}
