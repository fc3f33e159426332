import { parentPort, workerData } from "node:worker_threads";
import { outputCredit } from "../../output/thread-credit.js";
import type { ToRunner } from "../messages.js";
import { serve } from "./serve.js";

const spend = outputCredit(workerData as SharedArrayBuffer);

serve({
  send: (message, sent) => {
    parentPort?.postMessage(message);
    sent?.();
  },
  write: (output) => {
    parentPort?.postMessage({ type: "output", ...output });
    spend(output.text.length);
  },
  listen: (hear) => parentPort?.on("message", (message) => hear(message as ToRunner)),
});
