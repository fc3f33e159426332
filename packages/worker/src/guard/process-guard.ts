import { existsSync } from "node:fs";
import { url as debuggerUrl } from "node:inspector";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import type { FromGuard, ToGuard, Watched } from "./messages.js";
import { pulse } from "./shared.js";

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
  /** The last to leave ends the thread. */
  readonly leave: () => Promise<void>;
}

interface Listener {
  readonly onReady: () => void;
  readonly onTrouble: (reason: string) => void;
  readonly onError: (error: Error) => void;
}

/** So many beats in a lease: four in the time after which the event loop counts as standing still. */
const beatsInLease = 24;

/** Small spaces: they are a good part of what an idle thread costs. In MB. */
const resourceLimits = { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 64 };

/** From the sources, as in a test, the built file serves. */
const entry = import.meta.url.endsWith(".ts")
  ? new URL("../../dist/guard/thread.js", import.meta.url)
  : new URL("./thread.js", import.meta.url);

// One for the process, also when a module loader makes a second copy of this package.
const mark = Symbol.for("bullrush.process-guard");
const shared = globalThis as { [mark]?: ProcessGuard | undefined };

/** The guard of this process; `undefined` where its file is missing, as in a bundle. */
export function processGuard(): ProcessGuard | undefined {
  if (shared[mark] === undefined && existsSync(fileURLToPath(entry))) shared[mark] = startGuard();
  return shared[mark];
}

function startGuard(): ProcessGuard {
  const memory = new SharedArrayBuffer(pulse.size);
  const numbers = new Int32Array(memory);
  const listeners = new Map<number, Listener>();
  let joined = 0;
  let interval = Infinity;
  let beats: NodeJS.Timeout | undefined;
  // Without the flags of this process: what they load is for the modules of its user.
  const thread = new Worker(entry, { workerData: memory, execArgv: [], resourceLimits });
  thread.unref();
  thread.on("message", (message: FromGuard) => {
    const listener = listeners.get(message.worker);
    if (message.type === "ready") listener?.onReady();
    else listener?.onTrouble(message.reason);
  });
  thread.once("error", (error) => {
    for (const { onError } of listeners.values()) onError(error);
  });
  const beat = () => {
    Atomics.add(numbers, pulse.beats, 1);
    Atomics.store(numbers, pulse.debugged, debuggerUrl() === undefined ? 0 : 1);
  };
  const say = (message: ToGuard) => thread.postMessage(message);

  function beatIn(lease: number): void {
    if (lease / beatsInLease >= interval) return;
    interval = lease / beatsInLease;
    clearInterval(beats);
    beats = setInterval(beat, interval).unref();
    beat();
  }

  return {
    join(watched, onTrouble) {
      const worker = ++joined;
      say({ type: "watch", worker, watched });
      beatIn(watched.loans.lease);
      const ready = new Promise<void>((resolve, reject) => {
        const onError = (error: Error) => {
          reject(error);
          onTrouble(`it has ended: ${error.message}`);
        };
        listeners.set(worker, { onReady: resolve, onTrouble, onError });
      });
      return {
        ready,
        addRows: (block) => say({ type: "rows", worker, block }),
        addTask: (name) => say({ type: "task", worker, name }),
        leave: async () => {
          say({ type: "leave", worker });
          listeners.delete(worker);
          if (listeners.size > 0) return;
          shared[mark] = undefined;
          clearInterval(beats);
          await thread.terminate();
        },
      };
    },
  };
}
