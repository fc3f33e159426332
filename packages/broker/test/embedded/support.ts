import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { eventually } from "../../../../integration/lib/eventually.js";
import { findBinaries } from "../../src/embedded/binary.js";

/** The binary that tests of the native server start; without one they are skipped. */
export const nativeBinary = findBinaries(process.env["PATH"] ?? "")[0];

/** The kinds of server that can be started here. */
export const kinds = nativeBinary === undefined ? (["embedded"] as const) : (["native", "embedded"] as const);

if (nativeBinary === undefined) console.log("skipped: tests of the native server, because PATH has no valkey-server and no redis-server");

/** Runs `use` with a client of `url`, and closes the client. */
export async function withClient<T>(url: string, use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(url, { replyMapping: "legacy", maxRetriesPerRequest: null });
  client.on("error", () => undefined);
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}

/** Runs `use` while the server at `url` is busy with a script without end, so that it answers nobody. */
export async function whileBusy(url: string, use: () => Promise<void>): Promise<void> {
  await withClient(url, async (client) => {
    await client.ping();
    client.eval("while true do end", 0).catch(() => undefined);
    await eventually("it answers nobody", () =>
      withClient(url, async (other) => !(await Promise.race([answers(other), setTimeout(200, false)]))),
    );
    await use();
  });
}

function answers(client: Redis): Promise<boolean> {
  return client.ping().then(
    () => true,
    () => false,
  );
}

/** Runs `use` with the port of a TCP server that accepts connections and says nothing. */
export async function withSilentServer<T>(use: (port: number) => Promise<T>): Promise<T> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    sockets.add(socket);
  });
  const sockets = new Set<{ destroy(): unknown }>();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no port");
  try {
    return await use(address.port);
  } finally {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  }
}

/** The processes that belong to the server on `port`, zombies aside: the supervisor, first, and what it runs. */
export async function processesOn(port: number): Promise<readonly { readonly pid: number; readonly command: string }[]> {
  const { stdout } = await promisify(execFile)("ps", ["-eo", "pid,args"]);
  const ours = new RegExp(`^ *(\\d+) (.*supervisor\\.mjs ${port}|.*-server .*:${port})\\b`, "gm");
  return [...stdout.matchAll(ours)]
    .map(([, pid, command]) => ({ pid: Number(pid), command: command ?? "" }))
    .toSorted((a, b) => Number(b.command.includes("supervisor")) - Number(a.command.includes("supervisor")));
}

export function portOf(url: string): number {
  return Number(new URL(url).port);
}
