import { url as debuggerUrl } from "node:inspector";
import { Worker } from "node:worker_threads";
import type { LoanData } from "@bullrush/broker";
import { ownFile } from "../own-file.js";
import type { FromGuard, ToGuard, Watched } from "./messages.js";
import { pulse, steadyNow } from "./shared.js";

/** The thread that watches the event loop of this process, for all its workers. It is there while any of them is. */
export interface ProcessGuard {
  /** One more worker. Throws for what cannot be sent to the thread. */
  join(watched: Watched, onTrouble: (reason: string) => void): Joined;
}

/** A worker's side of the guard. */
export interface Joined {
  /** Resolves once the guard watches it. Rejects when the thread cannot be started. */
  readonly ready: Promise<void>;
  /** Shares one more piece of rows. */
  readonly addRows: (block: SharedArrayBuffer) => void;
  /** Tells the name of its next task. */
  readonly addTask: (name: string) => void;
  /** Tells how its loans are reached from now on. */
  readonly setLoans: (loans: LoanData) => void;
  /** The last to leave ends the thread. */
  readonly leave: () => Promise<void>;
}

interface Member {
  readonly onReady: () => void;
  readonly onTrouble: (reason: string) => void;
  readonly onEnd: (error: Error) => void;
}

/** So many beats in a lease: four in the time after which the event loop counts as standing still. */
const beatsInLease = 24;

/** Small spaces: they are a good part of what an idle thread costs. In MB. */
const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 };

// One for the process, also when a module loader makes a second copy of this package.
const mark = Symbol.for("bullrush.process-guard");
const shared = globalThis as { [mark]?: ProcessGuard | undefined };

/** The guard of this process; `undefined` where its file is missing, as in a bundle. Throws when a thread cannot be started. */
export function processGuard(): ProcessGuard | undefined {
  if (shared[mark] !== undefined) return shared[mark];
  const file = ownFile("guard/thread.js", import.meta.url);
  if (file !== undefined) shared[mark] = startGuard(file);
  return shared[mark];
}

function startGuard(file: string): ProcessGuard {
  const memory = new SharedArrayBuffer(pulse.size);
  const numbers = new Int32Array(memory);
  const times = new Float64Array(memory);
  const members = new Map<number, Member>();
  let joined = 0;
  let interval = Infinity;
  let beats: NodeJS.Timeout | undefined;
  // Without the flags of this process: what they load is for the modules of its user.
  const thread = new Worker(file, { workerData: memory, execArgv: [], resourceLimits });
  thread.unref();
  thread.on("message", (message: FromGuard) => {
    const member = members.get(message.worker);
    if (message.type === "ready") member?.onReady();
    else member?.onTrouble(message.reason);
  });
  thread.once("error", (error) => end(error));
  thread.once("exit", (code) => end(new Error(`exit code ${code}`)));

  /** It is there no more: whoever joins next has another one started. */
  function end(error: Error): void {
    if (shared[mark] === guard) shared[mark] = undefined;
    clearInterval(beats);
    for (const { onEnd } of members.values()) onEnd(error);
    members.clear();
  }

  function beat(): void {
    times[pulse.beatAt] = steadyNow();
    Atomics.add(numbers, pulse.beats, 1);
    Atomics.store(numbers, pulse.debugged, debuggerUrl() === undefined ? 0 : 1);
  }

  function beatIn(lease: number): void {
    if (lease / beatsInLease >= interval) return;
    interval = lease / beatsInLease;
    clearInterval(beats);
    beats = setInterval(beat, interval).unref();
    beat();
  }

  async function leave(worker: number): Promise<void> {
    const member = members.get(worker);
    if (!members.delete(worker)) return;
    member?.onEnd(new Error("the worker has stopped"));
    thread.postMessage({ type: "leave", worker } satisfies ToGuard);
    await endUnused();
  }

  async function endUnused(): Promise<void> {
    if (members.size > 0) return;
    end(new Error("nobody needs it"));
    await thread.terminate();
  }

  const guard: ProcessGuard = {
    join(watched, onTrouble) {
      const worker = ++joined;
      const say = (message: ToGuard) => thread.postMessage(message);
      try {
        say({ type: "watch", worker, watched });
      } catch (error) {
        void endUnused();
        throw error;
      }
      beatIn(watched.loans.lease);
      let stopped = false;
      const ready = new Promise<void>((resolve, reject) => {
        const onEnd = (error: Error) => {
          reject(error);
          if (!stopped) onTrouble(`it has ended: ${error.message}`);
        };
        members.set(worker, { onReady: resolve, onTrouble, onEnd });
      });
      return {
        ready,
        addRows: (block) => say({ type: "rows", worker, block }),
        addTask: (name) => say({ type: "task", worker, name }),
        setLoans: (loans) => say({ type: "loans", worker, loans }),
        leave: () => {
          stopped = true;
          return leave(worker);
        },
      };
    },
  };
  return guard;
}
