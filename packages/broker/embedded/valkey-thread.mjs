import { connect } from "node:net";
import { parentPort, workerData } from "node:worker_threads";
import { MendedValkeyServer } from "./valkey-server.mjs";

// 32-bit memory ends near 2 GB, replies and buffers included; descriptors end at 6,030.
const configure = "CONFIG SET maxmemory 1gb maxmemory-policy noeviction maxclients 5000";

const server = new MendedValkeyServer({ port: workerData.port, onFault });
try {
  await server.start();
  if ((await ask(configure)) !== "+OK") throw new Error("it refused its configuration");
  say({ type: "started", mark: /^run_id:\w+/m.exec(await ask("INFO server"))[0] });
} catch (error) {
  leave(error.message, 1, error.code === "EADDRINUSE");
}

/** WASI ends a program by throwing a symbol: it obeyed SHUTDOWN, or ended itself on finding a fault. */
function onFault(error) {
  leave(typeof error === "symbol" ? "the core has exited" : `the core failed: ${error}`, 70);
}

function leave(reason, code, conflict = false) {
  say({ type: "failed", reason, conflict });
  process.exit(code);
}

function say(message) {
  parentPort.postMessage(message);
}

/** The raw reply to one command, without the line end. */
function ask(command) {
  return new Promise((resolve, reject) => {
    const socket = connect(workerData.port, "127.0.0.1", () => socket.write(`${command}\r\n`));
    let reply = "";
    socket.setEncoding("utf8");
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("it closed the connection")));
    socket.on("data", (chunk) => {
      reply += chunk;
      if (!complete(reply)) return;
      resolve(reply.trimEnd());
      socket.destroy();
    });
  });
}

function complete(reply) {
  const bulk = /^\$(\d+)\r\n/.exec(reply);
  return reply.endsWith("\r\n") && (bulk === null || reply.length >= bulk[0].length + Number(bulk[1]) + 2);
}
