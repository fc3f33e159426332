import { Worker } from "node:worker_threads";
import type { Launch } from "./carrier.js";
import type { FromRunner } from "./messages.js";

/** A runner in a thread of this process, which begins with `file`. */
export const launchThread =
  (file: string): Launch =>
  (hear) => {
    const thread = new Worker(file);
    const { threadId } = thread;
    thread.on("message", (message) => hear(message as FromRunner));
    const gone = new Promise<string>((resolve) => {
      let reason: string | undefined;
      thread.once("error", (error) => {
        reason = error.message;
      });
      thread.once("exit", (code) => resolve(reason ?? `exit code ${code}`));
    });
    return {
      name: `pool thread ${threadId}`,
      facts: { thread: threadId },
      send: (message) => thread.postMessage(message),
      kill: () => void thread.terminate(),
      gone,
    };
  };
