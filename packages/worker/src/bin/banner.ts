import type { App } from "@bullrush/client";
import { printable } from "@bullrush/program";
import type { CompiledWorkerOptions } from "../options.js";

/** What a worker says of itself when it starts; never a password. */
export function bannerFacts(app: App, { name, pool, concurrency, autoscale, queues, order }: CompiledWorkerOptions) {
  return {
    worker: name,
    app: app.options.name,
    broker: app.engine.display.broker,
    backend: app.engine.display.backend,
    pool,
    concurrency,
    ...(autoscale !== undefined && { least: autoscale.min }),
    order,
    queues: queues.map((queue) => (queue.weight === 1 ? queue.name : `${queue.name}:${queue.weight}`)),
    tasks: [...app.tasks.keys()],
  };
}

/** The facts for a person. */
export function bannerText(facts: ReturnType<typeof bannerFacts>, version: string): string {
  const { worker, app, broker, backend, pool, concurrency, least, order, queues, tasks } = facts;
  const size = least === undefined ? concurrency : `${least} to ${concurrency}`;
  const lines = [
    "",
    `  bullrush ${version}  ${worker}`,
    "",
    `  app      ${app}`,
    `  broker   ${broker}`,
    `  results  ${backend}`,
    `  pool     ${pool}, ${size} at once, ${order}`,
    `  queues   ${queues.join(", ")}`,
    "",
    "  tasks",
    ...(tasks.length === 0 ? ["    none"] : tasks.map((task) => `    ${task}`)),
    "",
    "",
  ];
  return lines.map(printable).join("\n");
}
