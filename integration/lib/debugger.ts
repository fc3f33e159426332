import { createHash, randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { get, request } from "node:http";
import type { Socket } from "node:net";

/** A message from a debugger's target. */
export type Facts = Readonly<Record<string, unknown>>;

/** A debugger that is attached to a process. */
export interface Debugger extends Disposable {
  /** Sends a command of the V8 inspector protocol, and resolves to the answer. */
  post(method: string, params?: Facts): Promise<Facts>;
  /** Sets the listener for messages of the process. */
  on(event: string, hear: (params: Facts) => void): void;
}

/** Attaches to the process that listens at `address`, `host:port`. */
export async function attach(address: string): Promise<Debugger> {
  const [target] = (await json(`http://${address}/json/list`)) as readonly { readonly webSocketDebuggerUrl: string }[];
  if (target === undefined) throw new Error(`nothing to debug at ${address}`);
  const socket = await openSocket(target.webSocketDebuggerUrl.replace(/^ws:/, "http:"));
  const events = new EventEmitter();
  let last = 0;
  readTexts(socket, (text) => {
    const { id, method, result, params } = JSON.parse(text) as Record<"result" | "params", Facts> & {
      readonly id?: number;
      readonly method: string;
    };
    if (id === undefined) events.emit(method, params);
    else events.emit(`answer ${id}`, result);
  });
  return {
    on: (event, hear) => void events.on(event, hear),
    post: async (method, params = {}) => {
      const id = ++last;
      const answer = once(events, `answer ${id}`);
      sendText(socket, JSON.stringify({ id, method, params }));
      const [result] = (await answer) as [Facts];
      return result;
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
}

async function json(url: string): Promise<unknown> {
  const [response] = (await once(get(url), "response")) as [AsyncIterable<Buffer>];
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return JSON.parse(Buffer.concat(parts).toString("utf8"));
}

/** Opens a WebSocket; the rest of that protocol is below. */
async function openSocket(url: string): Promise<Socket> {
  const key = randomBytes(16).toString("base64");
  const headers = { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key };
  const asked = request(url, { headers });
  asked.end();
  const [response, socket] = (await once(asked, "upgrade")) as [{ readonly headers: Facts }, Socket];
  const expected = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  if (response.headers["sec-websocket-accept"] !== expected) throw new Error(`${url} is no WebSocket`);
  return socket;
}

/** One frame with all of `text`, masked with zeros, as clients must mask. */
function sendText(socket: Socket, text: string): void {
  const body = Buffer.from(text);
  const head =
    body.length < 126 ? Buffer.from([0x81, 0x80 | body.length]) : Buffer.from([0x81, 0x80 | 126, body.length >> 8, body.length & 255]);
  socket.write(Buffer.concat([head, Buffer.alloc(4), body]));
}

/** Inspectors send each message in one frame. */
function readTexts(socket: Socket, hear: (text: string) => void): void {
  let rest = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("data", (data) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      if (rest.length < 2) return;
      const short = rest.readUInt8(1) & 127;
      const head = short === 127 ? 10 : short === 126 ? 4 : 2;
      if (rest.length < head) return;
      const length = short === 127 ? Number(rest.readBigUInt64BE(2)) : short === 126 ? rest.readUInt16BE(2) : short;
      if (rest.length < head + length) return;
      const text = rest.toString("utf8", head, head + length);
      const isText = (rest.readUInt8(0) & 15) === 1;
      rest = rest.subarray(head + length);
      if (isText) hear(text);
    }
  });
}
