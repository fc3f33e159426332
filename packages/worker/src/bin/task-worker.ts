import { readFileSync } from "node:fs";
import { BullrushError } from "@bullrush/broker";
import type { App } from "@bullrush/client";
import { discoverApp } from "../discovery/discover.js";
import { createWorker, type Worker } from "../worker.js";
import { parseArguments, type WorkerArguments } from "./arguments.js";
import { bannerFacts, bannerText } from "./banner.js";
import { createLogger } from "./logger.js";

/** What the process says when it ends: done, failed, misused. */
const exit = { done: 0, failed: 1, misused: 2 };

const misuse: readonly string[] = ["WORKER_USAGE", "APP_NOT_FOUND", "INVALID_OPTION", "INVALID_QUEUE_NAME", "INVALID_URL"];

/** The command `task-worker`: runs until it is told to stop, and ends the process. */
export async function run(argv: readonly string[]): Promise<void> {
  process.exitCode = await exitCodeOf(() => work(argv));
  // A task module may have left something open; all that is ours is closed.
  process.exit();
}

async function exitCodeOf(main: () => Promise<number>): Promise<number> {
  try {
    return await main();
  } catch (error) {
    const [reason = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    process.stderr.write(`task-worker: ${reason}\n`);
    return error instanceof BullrushError && misuse.includes(error.code) ? exit.misused : exit.failed;
  }
}

async function work(argv: readonly string[]): Promise<number> {
  const version = ownVersion();
  const given = parseArguments(argv, version);
  if (given === undefined) return exit.done;
  const app = await discoverApp(given.app, process.cwd(), process.env);
  app.override({ ...(given.broker && { broker: given.broker }), ...(given.resultBackend && { backend: given.resultBackend }) });
  const format = given.logFormat ?? (process.stdout.isTTY ? "pretty" : "json");
  const log = createLogger(given.loglevel, format);
  const worker = createWorker(app, { ...workerOptions(given), log });
  const facts = bannerFacts(app, worker.options);
  if (format === "pretty") process.stdout.write(bannerText(facts, version));
  else log.info({ version, ...facts }, "starting");
  const stopped = untilStopped(worker);
  try {
    if (given.purge) await purge(app, worker, (queue, removed) => log.warn({ queue, removed }, "purged"));
    await worker.start();
  } catch (error) {
    await worker.stop();
    throw error;
  }
  const left = await stopped;
  if (left > 0) log.error({ left }, "stopped without the broker: these tasks run again when their leases have run out");
  else log.info({}, "stopped");
  return left > 0 ? exit.failed : exit.done;
}

function workerOptions({ queues, excludeQueues, hostname, concurrency, order, shutdownTimeout }: WorkerArguments) {
  return {
    ...(queues && { queues }),
    ...(excludeQueues && { excludeQueues }),
    ...(hostname !== undefined && { name: hostname }),
    ...(concurrency !== undefined && { concurrency }),
    ...(order && { order }),
    ...(shutdownTimeout !== undefined && { shutdownTimeout: shutdownTimeout as "30s" }),
  };
}

async function purge(app: App, worker: Worker, tell: (queue: string, removed: number) => void): Promise<void> {
  for (const { name } of worker.options.queues) tell(name, await app.transport.purge(name));
}

/** The number of deliveries left behind, once SIGTERM or a first SIGINT has stopped the worker; a second SIGINT ends its patience. */
function untilStopped(worker: Worker): Promise<number> {
  const now = new AbortController();
  let interrupts = 0;
  return new Promise((resolve, reject) => {
    const stop = () => void worker.stop(now.signal).then(resolve, reject);
    process.once("SIGTERM", stop);
    process.on("SIGINT", () => {
      interrupts++;
      if (interrupts === 1) stop();
      else now.abort();
    });
  });
}

function ownVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { readonly version: string };
  return manifest.version;
}
