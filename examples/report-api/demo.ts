// npm run demo: an HTTP API that accepts orders for slow reports, and shows their progress.
import { equal } from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { openRedis } from "bullrush/embedded";
import { Stage } from "../stage.js";

interface Task {
  readonly id: string;
  readonly state?: string;
  readonly info?: unknown;
}

const stage = new Stage(import.meta.url);

await stage.play(async () => {
  const url = process.env["BULLRUSH_DEMO_REDIS_URL"];
  const redis = await openRedis(url ? { url } : {});
  stage.atEnd(() => redis.stop());
  const at = (database: number) => Object.assign(new URL(redis.url), { pathname: `/${database}` }).href;
  const environment = { BULLRUSH_BROKER_URL: at(1), BULLRUSH_RESULT_BACKEND: at(2), PORT: "0" };
  console.log(`Redis: ${redis.description} (broker in database 1, results in database 2)`);

  stage.step("A worker, and an HTTP server");
  await stage.worker(["-A", "./tasks.ts"], environment);
  const server = await stage.program("server", "server.ts", environment);
  const [address] = /http\S+/.exec(await server.line("ready")) ?? [];
  const ask = async (method: "GET" | "POST", path: string, body?: object): Promise<Task> => {
    const response = await fetch(`${address}${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
    const text = await response.text();
    stage.say(`${method} ${path.replace(/(?<=\/tasks\/.{8}).*/, "…")} → ${response.status} ${text}`);
    return JSON.parse(text) as Task;
  };

  stage.step("Order a report of ten rows, and ask for it");
  const { id } = await ask("POST", "/tasks", { rows: 10 });
  let task = await ask("GET", `/tasks/${id}`);
  while (task.state !== "SUCCESS" && task.state !== "FAILURE") {
    await setTimeout(300);
    task = await ask("GET", `/tasks/${id}`);
  }
  equal(JSON.stringify(task.info), '{"rows":10,"total":55}', "the report is wrong");

  stage.step("Ask for one that nobody ordered");
  const { state } = await ask("GET", `/tasks/${crypto.randomUUID()}`);
  equal(state, "UNKNOWN", "nobody should know it");
  console.log("\nAll as it should be. Stopping everything");
});
