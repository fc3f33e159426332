// Runs one Redis for the process that forked it, and ends it as soon as that process lets go of the channel or is gone.
//   supervisor.mjs <port> <directory> native <binary>      supervisor.mjs <port> <directory> embedded
// A native server works in <directory>, which is removed at the end.
// Says { type: "started", mark }, where `mark` is a line of INFO that no other server has, and { type: "ended", reason, conflict }
// if the server ends by itself; then it exits with the server's code, 70 after a fault of the WebAssembly core.
import { rmSync } from "node:fs";
import { runEmbedded } from "./embedded.mjs";
import { runNative } from "./native.mjs";

const [port, directory, kind, binary] = process.argv.slice(2);

/** How long a killed server may take to be gone, in ms. */
const patience = 1000;

/** What can be killed of the server, once it is started, and whether its end was asked for. */
let server = undefined;
let ending = false;

// Ctrl-C is for the parent, which stops this process in its own time.
process.on("SIGINT", () => {});
process.on("SIGHUP", () => {});
process.on("SIGTERM", end);
process.on("disconnect", end);
process.on("uncaughtException", (error) => ended({ reason: error.message, conflict: false, code: 1 }));

if (!process.connected) {
  cleanUp();
  leave();
}
const hooks = { started, ended };
server = kind === "native" ? runNative(binary, Number(port), directory, hooks) : runEmbedded(Number(port), hooks);

function started(mark) {
  say({ type: "started", mark });
}

function ended({ reason, conflict, code }) {
  cleanUp();
  if (ending) leave();
  else say({ type: "ended", reason, conflict }, () => process.exit(code));
}

/** Nothing is ever saved, so nothing is waited for but the death of the server, which would else be left as a zombie. */
function end() {
  ending = true;
  cleanUp();
  setTimeout(leave, patience);
}

function cleanUp() {
  server?.kill();
  try {
    rmSync(directory, { recursive: true, force: true });
  } catch {
    // Windows, as long as the server is there; the parent tries again.
  }
}

/** Takes along whatever the server forked, and a thread that is busy with a script. */
function leave() {
  try {
    process.kill(-process.pid, "SIGKILL");
  } catch {
    process.exit(1); // not the leader of a process group: Windows
  }
}

function say(message, then = () => {}) {
  if (process.connected) process.send(message, then);
  else then();
}
