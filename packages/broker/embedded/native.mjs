import { spawn } from "node:child_process";

const logLimit = 8_000;

/** Starts `binary` on `port` of 127.0.0.1, in `directory`, without persistence. `kill` ends it at once. */
export function runNative(binary, port, directory, { started, ended }) {
  const child = spawn(binary, flags(port), { cwd: directory, stdio: ["ignore", "pipe", "pipe"], windowsHide: true });
  let log = "";
  let listens = false;
  const note = (chunk) => {
    log = (log + chunk).slice(-logLimit);
    if (listens || !/ready to accept connections/i.test(log)) return;
    listens = true;
    started(`process_id:${child.pid}`);
  };
  child.stdout.on("data", note);
  child.stderr.on("data", note);
  child.once("error", (error) => ended({ reason: error.message, conflict: false, code: 1 }));
  child.once("close", (code, signal) => {
    ended({ reason: `${lastLine(log)} (${signal ?? `exit ${code}`})`, conflict: /address already in use/i.test(log), code: code || 1 });
  });
  return { kill: () => child.kill("SIGKILL") };
}

function flags(port) {
  const options = {
    port,
    bind: "127.0.0.1",
    save: "",
    appendonly: "no",
    "maxmemory-policy": "noeviction",
    daemonize: "no",
    logfile: "",
    loglevel: "notice",
  };
  return Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]);
}

function lastLine(log) {
  return log.trimEnd().split("\n").at(-1) || "it ended without a word";
}
