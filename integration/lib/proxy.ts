import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A TCP proxy in this process, in front of a Redis, that simulates network faults. */
export interface Proxy extends AsyncDisposable {
  /** The URL of the Redis, through the proxy. */
  readonly url: string;
  /** How many connections exist, dead ones included. */
  connections(): number;
  /** How many connections were refused so far. */
  refused(): number;
  /** Resets all connections; new ones pass. */
  reset(): void;
  /**
   * Makes existing connections dead: they carry nothing, in either direction, and stay open. New
   * connections pass, or with `alsoNew` are dead too.
   */
  blackhole(options?: { readonly alsoNew?: boolean }): void;
  /** New connections pass again. */
  pass(): void;
  /** Resets new connections at once, as a closed port does. */
  refuse(): void;
  /**
   * Drops the reply to the next request that contains `text`, and all later replies on that
   * connection. Resolves when Redis has answered.
   */
  loseReply(text: string): Promise<void>;
  /**
   * Drops the next request that contains `text`, and everything later on that connection, in both
   * directions. Resolves when the request has arrived.
   */
  loseRequest(text: string): Promise<void>;
  /** Delays everything by `ms`, in each direction; 0 ends the delay. */
  slow(ms: number): void;
  /**
   * Holds back each request that contains `text`, and everything after it on its connection, until
   * it is released. Held requests arrive even if their sender has gone.
   */
  hold(text: string): Hold;
  /** As `hold`, for replies. */
  holdReply(text: string): Hold;
  /**
   * Ends all disturbances: pending losses and delays are cancelled, dead connections are reset, and
   * new connections pass.
   */
  heal(): void;
  /** Closes the proxy, as the end of `await using` does. */
  close(): Promise<void>;
}

export interface Hold {
  /** Resolves when the first request is held. */
  readonly held: Promise<void>;
  /** Forwards what is held, up to what another hold keeps; this hold keeps nothing from now on. */
  letGo(): void;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  mute: boolean;
  /** Gets the next reply instead of the client. */
  onReply?: () => void;
  /** Requests that are held, in order. */
  kept?: Buffer[];
  /** Replies that are held, in order. */
  keptReplies?: Buffer[];
}

/** What to drop next. */
interface Loss {
  readonly text: string;
  readonly what: "request" | "reply";
  /** Called when it is dropped. */
  readonly happened: () => void;
}

/** The chunks that are held. */
interface Holding {
  readonly text: string;
  readonly onHeld: () => void;
}

/**
 * Opens a proxy on a free port of 127.0.0.1, in front of the Redis at `target`, and keeps its user,
 * password and database.
 */
export async function openProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const links = new Set<Link>();
  const losses: Loss[] = [];
  const holds = new Set<Holding>();
  const replyHolds = new Set<Holding>();
  let mode: "pass" | "silent" | "refuse" = "pass";
  let delay = 0;
  const dueBefore = new WeakMap<Socket, number>();
  let refused = 0;

  const listener = createServer((client) => {
    if (mode === "refuse") {
      refused++;
      client.resetAndDestroy();
      return;
    }
    const link: Link = { client, server: connect(Number(port), hostname), mute: mode === "silent" };
    links.add(link);
    client.on("data", (request) => onRequest(link, request));
    link.server.on("data", (reply) => onReply(link, reply));
    for (const [socket, other] of [[client, link.server] as const, [link.server, client] as const]) {
      socket.setNoDelay(true);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        if (link.kept !== undefined) return;
        // The end of a dead connection is not forwarded either.
        if (!link.mute) other.destroy();
        if (client.destroyed) other.destroy();
        if (client.destroyed) links.delete(link);
      });
    }
  });

  function onRequest(link: Link, request: Buffer): void {
    if (link.mute) return;
    const loss = losses.find(({ text }) => request.includes(text));
    if (loss !== undefined) {
      losses.splice(losses.indexOf(loss), 1);
      if (loss.what === "request") {
        link.mute = true;
        return loss.happened();
      }
      link.onReply = loss.happened;
    }
    const holding = holdingOf(holds, request);
    if (holding !== undefined) {
      link.kept ??= [];
      holding.onHeld();
    }
    if (link.kept === undefined) pass(link.server, request);
    else link.kept.push(request);
  }

  /** A shorter delay does not overtake a longer one. */
  function pass(to: Socket, data: Buffer): void {
    const now = performance.now();
    const due = Math.max(now + delay, dueBefore.get(to) ?? 0);
    if (due <= now) return void to.write(data);
    dueBefore.set(to, due);
    setTimeout(() => to.writable && to.write(data), due - now);
  }

  function lose(what: Loss["what"], text: string): Promise<void> {
    return new Promise((happened) => losses.push({ text, what, happened }));
  }

  function addHold(to: Set<Holding>, text: string, forward: (link: Link) => void): Hold {
    let onHeld = () => {};
    const held = new Promise<void>((resolve) => (onHeld = resolve));
    const holding = { text, onHeld };
    to.add(holding);
    return { held, letGo: () => void (to.delete(holding) && [...links].forEach(forward)) };
  }

  function passOnRequests(link: Link): void {
    const { kept, client, server } = link;
    if (kept === undefined || !forward(kept, holds, server)) return;
    delete link.kept;
    if (!client.destroyed) return;
    server.end();
    links.delete(link);
  }

  function passOnReplies(link: Link): void {
    if (link.keptReplies !== undefined && forward(link.keptReplies, replyHolds, link.client)) delete link.keptReplies;
  }

  function onReply(link: Link, reply: Buffer): void {
    if (link.onReply !== undefined) {
      link.mute = true;
      link.onReply();
      delete link.onReply;
    }
    const holding = holdingOf(replyHolds, reply);
    if (holding !== undefined) {
      link.keptReplies ??= [];
      holding.onHeld();
    }
    if (link.keptReplies !== undefined) link.keptReplies.push(reply);
    else if (!link.mute) pass(link.client, reply);
  }

  function reset(): void {
    for (const link of links) cut(link);
  }

  function cut({ client, server }: Link): void {
    // A socket that is already ending cannot be reset, and would be left open.
    if (client.writableEnded) client.destroy();
    else client.resetAndDestroy();
    server.destroy();
  }

  async function close(): Promise<void> {
    const closed = new Promise((resolve) => listener.close(resolve));
    for (const { client, server } of links) for (const socket of [client, server]) socket.destroy();
    await closed;
  }

  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const url = new URL(target);
  url.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`;

  return {
    url: url.href,
    connections: () => links.size,
    refused: () => refused,
    reset,
    blackhole: ({ alsoNew = false } = {}) => {
      mode = alsoNew ? "silent" : "pass";
      for (const link of links) link.mute = true;
    },
    pass: () => {
      mode = "pass";
    },
    refuse: () => {
      mode = "refuse";
    },
    hold: (text) => addHold(holds, text, passOnRequests),
    holdReply: (text) => addHold(replyHolds, text, passOnReplies),
    loseReply: (text) => lose("reply", text),
    loseRequest: (text) => lose("request", text),
    slow: (ms) => {
      delay = ms;
    },
    heal: () => {
      mode = "pass";
      delay = 0;
      losses.length = 0;
      for (const link of links) if (link.mute) cut(link);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

function holdingOf(holds: ReadonlySet<Holding>, data: Buffer): Holding | undefined {
  return [...holds].find(({ text }) => data.includes(text));
}

/** Writes what is no longer held, in order. Returns whether that is all. */
function forward(kept: Buffer[], holds: ReadonlySet<Holding>, to: Socket): boolean {
  for (let data = kept[0]; data !== undefined; data = kept[0]) {
    if (holdingOf(holds, data) !== undefined) return false;
    to.write(data);
    kept.shift();
  }
  return true;
}
