import { fork } from "node:child_process";
import { once } from "node:events";
import type { Launch } from "./carrier.js";
import type { FromRunner } from "./messages.js";

/** A runner in a child process, which begins with `file`. It inherits the output, the environment and Node's flags, but no debugger's port. */
export const launchProcess =
  (file: string): Launch =>
  (hear) => {
    const execArgv = process.execArgv.filter((flag) => !flag.startsWith("--inspect"));
    const child = fork(file, { execArgv, serialization: "advanced", stdio: ["ignore", "inherit", "inherit", "ipc"] });
    child.on("message", (message) => hear(message as FromRunner));
    const gone = new Promise<string>((resolve) => {
      // Of one that could not be started there is no exit.
      child.on("error", (error) => child.pid === undefined && resolve(error.message));
      child.once("exit", (code, signal) => {
        const how = signal ?? `exit code ${code}`;
        if (child.connected) void once(child, "disconnect").then(() => resolve(how));
        else resolve(how);
      });
    });
    const pid = child.pid ?? 0;
    return {
      name: `pool process ${pid}`,
      facts: { pid },
      send: (message) => void (child.connected && child.send(message, () => {})),
      kill: () => void child.kill("SIGKILL"),
      gone,
    };
  };
