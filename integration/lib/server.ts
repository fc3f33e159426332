import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { eventually } from "./eventually.js";

/**
 * The server binary, for tests that kill their server or give it options; without one they are
 * skipped.
 */
export const serverBinary = findBinary();

/** The private server of a test. At the end of `await using`, and of the file, it is killed. */
export interface Server extends AsyncDisposable {
  readonly port: number;
  /** The path of its Unix socket. */
  readonly socket: string;
  /** `redis://127.0.0.1:<port>/<database>`, with `:<password>@` if one is given. */
  url(options?: { readonly database?: number; readonly password?: string }): string;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
}

const running = new Set<Server>();

let second: Promise<Server> | undefined;

/**
 * The one further server of a test file: started by the first call, killed at the end of the file.
 */
export function secondServer(): Promise<Server> {
  return (second ??= startServer());
}

/** Kills the servers that still run. Runs at the end of each test file. */
export async function killServers(): Promise<void> {
  second = undefined;
  await Promise.all([...running].map((server) => server.kill()));
}

/**
 * Starts a `redis-server` or `valkey-server` of this test's own, with `args` such as
 * `["--requirepass", "secret"]`. It saves nothing to disk unless `args` say so. Without a port it
 * tries ports until one is free: another process may take a free port first. Throws if the server
 * ends.
 */
export async function startServer(args: readonly string[] = [], given?: { readonly port: number }): Promise<Server> {
  if (serverBinary === undefined) throw new Error("no server binary: guard the test with serverBinary");
  for (;;) {
    const launched = await launch(serverBinary, args, given?.port ?? (await freePort()));
    if (typeof launched !== "string") return launched;
    if (given !== undefined || !launched.includes("Address already in use")) throw new Error(`${serverBinary} ended: ${launched}`);
  }
}

/** Resolves when the server answers on its own socket, or with its output if it ends before. */
async function launch(binary: string, args: readonly string[], port: number): Promise<Server | string> {
  const directory = mkdtempSync(join(tmpdir(), "bullrush-server-"));
  const socket = join(directory, "s");
  const options = [
    "--port",
    String(port),
    "--bind",
    "127.0.0.1",
    "--unixsocket",
    socket,
    "--dir",
    directory,
    "--save",
    "",
    "--appendonly",
    "no",
  ];
  const child = spawn(binary, [...options, ...args], { stdio: ["ignore", "pipe", "ignore"] });
  let output = "";
  child.stdout.on("data", (text) => (output = `${output}${String(text)}`.slice(-4000)));
  let ended = false;
  const gone = new Promise<void>((resolve) =>
    child.once("close", () => {
      ended = true;
      resolve();
    }),
  );
  const server: Server = {
    port,
    socket,
    url: ({ database = 0, password } = {}) => `redis://${password === undefined ? "" : `:${password}@`}127.0.0.1:${port}/${database}`,
    kill,
    [Symbol.asyncDispose]: kill,
  };
  running.add(server);
  await eventually(`a server answers on port ${port}`, async () => ended || (await answers(socket)));
  if (!ended) return server;
  await kill();
  return output;

  async function kill(): Promise<void> {
    running.delete(server);
    child.kill("SIGKILL");
    await gone;
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A port on which nobody listens, and which no test uses for a server. */
export const deadPort = 1;

/** A free port of 127.0.0.1 for a server; others may get the same one. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}

/** Whether the server at the socket `path` answers, even if it only asks for a password. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => socket.write("PING\r\n"));
    const finish = (answered: boolean) => {
      socket.destroy();
      resolve(answered);
    };
    socket.once("data", () => finish(true));
    socket.once("error", () => finish(false));
  });
}

function findBinary(): string | undefined {
  const directories = (process.env["PATH"] ?? "").split(delimiter).filter((directory) => directory !== "");
  return ["redis-server", "valkey-server"]
    .flatMap((name) => directories.map((directory) => join(directory, name)))
    .find((file) => existsSync(file));
}
