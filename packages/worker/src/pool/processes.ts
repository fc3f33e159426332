import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Launch } from "./carrier.js";
import type { DebugPort, DebugPorts } from "./debug-ports.js";
import type { FromRunner } from "./messages.js";

const entry = fileURLToPath(new URL("./inside/process.js", import.meta.url));

/** Starts runners in child processes. They inherit the output, the environment and Node's flags, and get debuggers' ports of their own from `ports`; without, none. */
export function processLauncher(ports: DebugPorts | undefined): Launch {
  return (hear) => launch(hear, ports?.take());
}

function launch(hear: Parameters<Launch>[0], port: DebugPort | undefined): ReturnType<Launch> {
  const flags = process.execArgv.filter((flag) => !flag.startsWith("--inspect"));
  const execArgv = port === undefined ? flags : [...flags, `--inspect=${port.address}`];
  const child = fork(entry, { execArgv, serialization: "advanced", stdio: ["ignore", "inherit", "inherit", "ipc"] });
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
  void gone.then(() => port?.release());
  const pid = child.pid ?? 0;
  return {
    name: `pool process ${pid}`,
    facts: { pid },
    ...(port !== undefined && { debugger: port.address }),
    send: (message) => void (child.connected && child.send(message, () => {})),
    kill: () => void child.kill("SIGKILL"),
    gone,
  };
}
