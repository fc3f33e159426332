// pnpm dev: a worker for examples/routed-queues that restarts at each change of a source, on a
// private Redis. Ctrl-C ends everything. It prints the URL of its Redis: another terminal can send
// calls, or start a second worker.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { program, root, run } from "./tools.mjs";

const built = await run([process.execPath, join(root, "scripts/bootstrap.mjs"), "build"], { show: true });
if (built.code !== 0) process.exit(built.code);

const { openRedis } = await import("../packages/broker/dist/embedded/index.js");
const redis = await openRedis();
const env = { ...process.env, BULLRUSH_BROKER_URL: redis.url, BULLRUSH_RESULT_BACKEND: redis.url };
console.log(`Redis: ${redis.description}\n\n  export BULLRUSH_BROKER_URL=${redis.url} BULLRUSH_RESULT_BACKEND=${redis.url}\n`);

const compiler = [...program("typescript", { name: "tsc" }), "-b", "--watch", "--preserveWatchOutput"];
const bundler = [process.execPath, "scripts/bundle.mjs", "--watch"];
const worker = [process.execPath, "--watch", "--watch-preserve-output", "packages/worker/bin/task-worker.js"];
const children = [compiler, bundler, [...worker, "-A", "examples/routed-queues/tasks.ts", "-Q", "for_task_A,for_task_B,default"]].map(
  ([command, ...args]) => spawn(command, args, { cwd: root, env, stdio: "inherit" }),
);

// Redis goes last: a stopping worker puts back the messages that it has not started.
const ended = children.map((child) => new Promise((resolve) => child.once("exit", resolve)));
const end = () => children.forEach((child) => child.kill());
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, end);
await Promise.race(ended);
end();
await Promise.all(ended);
await redis.stop();
