// Starts a worker on each kind of module, by either command, with a Redis of its own, and sends it
// a task.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { openRedis } from "@bullrush/broker/embedded";

const redis = await openRedis();
process.env.BULLRUSH_BROKER_URL = `${redis.url}/1`;
process.env.BULLRUSH_RESULT_BACKEND = `${redis.url}/2`;
try {
  await tryModule("tasks.ts", ["bullrush", "worker"]);
  for (const module of ["tasks.js", "tasks.cjs"]) await tryModule(module, ["task-worker"]);
} finally {
  await redis.stop();
}

async function tryModule(module, command) {
  const worker = spawn("npx", [...command, "-A", `./${module}`, "-Q", "for_task_A"], { stdio: "inherit", detached: true });
  try {
    const { createApp } = await import("@bullrush/client");
    const app = createApp();
    const result = await app.sendTask("tasks.taskA", [100, 200], { queue: "for_task_A" });
    const value = await result.get({ timeout: "20s" });
    await app.close();
    if (value !== 300) throw new Error(`${module}: 100 + 200 came out as ${value}`);
    console.log(`${module}: 300`);
  } finally {
    if (worker.pid !== undefined) process.kill(-worker.pid, "SIGTERM");
    await once(worker, "close");
  }
}
