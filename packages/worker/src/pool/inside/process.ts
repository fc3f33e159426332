import { Worker } from "node:worker_threads";
import type { ToRunner } from "../messages.js";

// All this before what takes its time to load. The signals go to all processes of a terminal; the worker is the one to say what becomes of
// its runners.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

// The worker is gone, by whatever: nobody would settle what this runs.
process.once("disconnect", () => process.kill(process.pid, "SIGKILL"));
new Worker(new URL("./watchdog.js", import.meta.url), { workerData: process.ppid }).unref();

const { serve } = await import("./serve.js");

serve({
  send: (message, sent) => void process.send?.(message, () => sent?.()),
  listen: (hear) => process.on("message", (message) => hear(message as ToRunner)),
});
