import { parentPort } from "node:worker_threads";
import type { ToRunner } from "../messages.js";
import { serve } from "./serve.js";

serve({
  send: (message, sent) => {
    parentPort?.postMessage(message);
    sent?.();
  },
  listen: (hear) => parentPort?.on("message", (message) => hear(message as ToRunner)),
});
