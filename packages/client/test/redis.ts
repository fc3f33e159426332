import { connect } from "node:net";

type Reply = string | number | null | readonly Reply[];

/**
 * The answer of the Redis at `url` to one command, on a connection of its own. Throws its error.
 */
export async function redis(url: string, ...command: readonly string[]): Promise<Reply> {
  const { hostname, port, username, password } = new URL(url);
  const login = password === "" ? [] : [["AUTH", decodeURIComponent(username) || "default", decodeURIComponent(password)]];
  const commands = [...login, command];
  const socket = connect(Number(port || 6379), hostname);
  try {
    for (const parts of commands) {
      socket.write(`*${parts.length}\r\n${parts.map((part) => `$${Buffer.byteLength(part)}\r\n${part}\r\n`).join("")}`);
    }
    let text = "";
    for await (const chunk of socket) {
      text += String(chunk);
      const parsed = parseList(text, 0, commands.length);
      if (parsed !== undefined) return parsed.reply.at(-1) ?? null;
    }
    throw new Error("the connection ended before the reply");
  } finally {
    socket.destroy();
  }
}

/** The reply that starts at `start`, once it is complete; for replies in ASCII. */
function parse(text: string, start: number): { readonly reply: Reply; readonly end: number } | undefined {
  const lineEnd = text.indexOf("\r\n", start);
  if (lineEnd < 0) return undefined;
  const kind = text[start];
  const line = text.slice(start + 1, lineEnd);
  const end = lineEnd + 2;
  if (kind === "-") throw new Error(line);
  if (kind === "+") return { reply: line, end };
  if (kind === ":") return { reply: Number(line), end };
  const length = Number(line);
  if (length < 0) return { reply: null, end };
  if (kind === "*") return parseList(text, end, length);
  return text.length < end + length + 2 ? undefined : { reply: text.slice(end, end + length), end: end + length + 2 };
}

function parseList(text: string, start: number, length: number): { readonly reply: readonly Reply[]; readonly end: number } | undefined {
  const replies: Reply[] = [];
  let end = start;
  for (let index = 0; index < length; index++) {
    const parsed = parse(text, end);
    if (parsed === undefined) return undefined;
    replies.push(parsed.reply);
    end = parsed.end;
  }
  return { reply: replies, end };
}

/** How often the Redis at `url` was sent `command`, in lower case, since it started. */
export async function callsOf(url: string, command: string): Promise<number> {
  const stats = String(await redis(url, "INFO", "commandstats"));
  return Number(new RegExp(`^cmdstat_${command}:calls=(\\d+)`, "m").exec(stats)?.[1] ?? 0);
}
