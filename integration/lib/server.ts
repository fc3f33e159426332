import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { eventually } from "./eventually.js";

/** The server binary, for tests that need to kill their server, or give it options; without one they are skipped. */
export const serverBinary = findBinary();

/** The private server of a test. At the end of `await using`, and of the file, it is killed. */
export interface Server extends AsyncDisposable {
  readonly port: number;
  /** `redis://127.0.0.1:<port>/<database>`, with `:<password>@` if one is given. */
  url(options?: { readonly database?: number; readonly password?: string }): string;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
}

const running = new Set<Server>();

let second: Promise<Server> | undefined;

/** The one further server of a test file: started by the first call, and killed at the end of the file. */
export function secondServer(): Promise<Server> {
  return (second ??= startServer());
}

/** Kills the servers that still run. Runs at the end of each test file. */
export async function killServers(): Promise<void> {
  second = undefined;
  await Promise.all([...running].map((server) => server.kill()));
}

/** Starts a `redis-server` or `valkey-server` of this test's own, with `args` such as `["--requirepass", "secret"]`. It keeps nothing on disk unless they say so. */
export async function startServer(args: readonly string[] = [], given?: { readonly port: number }): Promise<Server> {
  if (serverBinary === undefined) throw new Error("no server binary: guard the test with serverBinary");
  const port = given?.port ?? (await freePort());
  const directory = mkdtempSync(join(tmpdir(), "bullrush-server-"));
  const options = ["--port", String(port), "--bind", "127.0.0.1", "--dir", directory, "--save", "", "--appendonly", "no"];
  const child = spawn(serverBinary, [...options, ...args], { stdio: "ignore" });
  const gone = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const server: Server = {
    port,
    url: ({ database = 0, password } = {}) => `redis://${password === undefined ? "" : `:${password}@`}127.0.0.1:${port}/${database}`,
    kill,
    [Symbol.asyncDispose]: kill,
  };
  running.add(server);
  await eventually(`a server listens on port ${port}`, () => answers(port));
  return server;

  async function kill(): Promise<void> {
    running.delete(server);
    child.kill("SIGKILL");
    await gone;
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A port on which nobody listens, and that no test is given for a server. */
export const deadPort = 1;

/** A port of 127.0.0.1 for a server that is about to be started: others may be given it as well. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== "object" || address === null) throw new Error("no port");
  return address.port;
}

/** Whether it answers, if only that it wants a password. */
function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => socket.write("PING\r\n"));
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
