import { Worker } from "node:worker_threads";
import type { Frame } from "../../output/frames.js";
import type { FromProcess, ToRunner } from "../messages.js";

// All this before what takes its time to load. The signals go to all processes of a terminal; the worker is the one to say what becomes of
// its runners.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

// The worker is gone, by whatever: nobody would settle what this runs.
process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
new Worker(new URL("./watchdog.js", import.meta.url), { workerData: process.ppid }).unref();

const { serve } = await import("./serve.js");
const { longestFramed, writeFrame } = await import("../../output/frames.js");

/** Whether stdout is the pipe of frames. */
const isCaptured = process.argv[2] === "capture";

/** How many frames were written. */
let frames = 0;

function write(frame: Frame): void {
  frames++;
  writeFrame(1, frame);
}

serve({
  send: (message, sent) => {
    // A line of the log keeps its place in the output.
    if (isCaptured && message.type === "log" && message.line.length <= longestFramed) write(message);
    else process.send?.({ frames, bullrush: message } satisfies FromProcess, () => sent?.());
  },
  write: (output) => write({ type: "output", ...output }),
  listen: (onMessage) => process.on("message", (message) => onMessage(message as ToRunner)),
});
