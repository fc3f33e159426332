import { parentPort, workerData } from "node:worker_threads";
import { Guarding, type Write } from "./guarding.js";
import type { ToGuard, Watched } from "./messages.js";
import { pulse, steadyNow } from "./shared.js";

// Nothing else is imported before the event loop of the process stands still: a client of Redis, with its scripts,
// has three times the memory of the bare thread.
const numbers = new Int32Array(workerData as SharedArrayBuffer);
const times = new Float64Array(workerData as SharedArrayBuffer);

const guarding = new Guarding({
  beats: () => Atomics.load(numbers, pulse.beats),
  beatAt: () => times[pulse.beatAt] ?? 0,
  isDebugged: () => Atomics.load(numbers, pulse.debugged) === 1,
  now: steadyNow,
  openLoans: async (loans, onTrouble) => (await import("@bullrush/broker/guard")).openGuardedLoans(loans, onTrouble),
  say: (message) => parentPort?.postMessage(message),
  prepare,
  kill: () => process.kill(process.pid, "SIGKILL"),
});

/** By a logger of this thread's own, which writes straight to the output: what goes through `process.stdout` would wait for the event loop of the process. */
async function prepare({ endsProcess, format }: Watched): Promise<Write> {
  const { createLogger } = await import("@bullrush/program");
  const log = await createLogger("warn", format, { descriptor: endsProcess ? 1 : 2 });
  return (level, facts, text) => {
    try {
      log[level](facts, text);
    } catch {
      // Nobody reads the output.
    }
  };
}

let timer: NodeJS.Timeout | undefined;
function lookAgain(): void {
  clearInterval(timer);
  timer = setInterval(() => guarding.look(), guarding.interval);
}

parentPort?.on("message", (message: ToGuard) => {
  guarding.onMessage(message);
  if (message.type === "watch" || message.type === "leave") lookAgain();
});
