import { parentPort, workerData } from "node:worker_threads";
import { outputCredit } from "../../output/thread-credit.js";
import type { FromRunner, Said, ToRunner } from "../messages.js";
import { serve } from "./serve.js";

const spend = outputCredit(workerData as SharedArrayBuffer);

function say(message: FromRunner): void {
  parentPort?.postMessage({ bullrush: message } satisfies Said);
}

serve({
  send: (message, sent) => {
    say(message);
    sent?.();
  },
  write: (output) => {
    say({ type: "output", ...output });
    spend(output.text.length);
  },
  listen: (onMessage) => parentPort?.on("message", (message) => onMessage(message as ToRunner)),
});
