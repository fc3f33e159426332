import { Worker } from "node:worker_threads";
import { readOutput } from "../output/frames.js";
import { creditMemory, acknowledgeOutput } from "../output/thread-credit.js";
import type { Launch } from "./child-handle.js";
import { isSaid } from "./messages.js";

/** A runner in a thread of this process, which begins with `file`. */
export const launchThread =
  (file: string): Launch =>
  (onMessage, captureConsole) => {
    const credit = creditMemory();
    const thread = new Worker(file, { workerData: credit, stdout: captureConsole, stderr: captureConsole });
    const { threadId } = thread;
    thread.on("message", (said: unknown) => {
      if (!isSaid(said)) return;
      const message = said.bullrush;
      onMessage(message);
      if (message.type === "output") acknowledgeOutput(credit, message.text.length);
    });
    if (captureConsole) {
      // What is written before the app is loaded.
      readOutput(thread.stdout, "stdout", onMessage);
      readOutput(thread.stderr, "stderr", onMessage);
    }
    const exited = new Promise<string>((resolve) => {
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
      exited,
    };
  };
