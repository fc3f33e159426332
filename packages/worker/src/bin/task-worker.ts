import { readFileSync } from "node:fs";
import type { App } from "@bullrush/client";
import { watchFallout } from "@bullrush/client/program";
import { createLogger, discoverApp, shownPasswords } from "@bullrush/program";
import { runCommand } from "@bullrush/program/command";
import type { WorkerOptions } from "../options.js";
import { createWorker, type Blame, type Worker } from "../worker.js";
import { parseArguments, type WorkerArguments } from "./arguments.js";
import { bannerFacts, bannerText } from "./banner.js";
import { openDebugger } from "./inspect.js";
import { openBeat, type BesideBeat } from "./beat.js";

/** The command `task-worker`: runs until it is told to stop, and ends the process. */
export async function run(argv: readonly string[]): Promise<void> {
  await runCommand("task-worker", () => work(argv));
}

async function work(argv: readonly string[]): Promise<number> {
  const version = ownVersion();
  const given = parseArguments(argv, version);
  if (given === undefined) return 0;
  const address = given.inspectBrk ?? given.inspect;
  if (address !== undefined) openDebugger(address === true ? { host: "127.0.0.1", port: 9229 } : address, given.inspectBrk !== undefined);
  const { app, reference } = await discoverApp(given.app, process.cwd(), process.env);
  const { broker, resultBackend: backend } = given;
  app.override({ ...(broker !== undefined && { broker }), ...(backend !== undefined && { backend }) });
  const format = given.logFormat ?? (process.stdout.isTTY ? "pretty" : "json");
  const log = await createLogger(given.loglevel, format);
  const worker = createWorker(
    app,
    { endsProcess: true, ...workerOptions(given), module: reference, log },
    { format, inspect: address !== undefined },
  );
  const beat = given.beat ? await openBeat(app, log, given.allowEviction ?? false) : undefined;
  const stop = stopSignals(worker, beat);
  watchFallout(log, () => {
    const blame = worker.crashed();
    stop.crash();
    return endings[blame];
  });
  const facts = bannerFacts(app, worker.options);
  if (format === "pretty") process.stdout.write(bannerText(facts, version));
  else log.info({ version, ...facts }, "starting");
  for (const warning of shownPasswords({ "--broker": broker, "--result-backend": backend })) log.warn(warning);
  try {
    await Promise.race([begin(), stop.stopped]);
  } catch (error) {
    // Told to stop before it was ready, it fails because its connections were closed.
    if (!stop.told()) {
      await beat?.stop();
      await worker.stop();
      throw error;
    }
  }
  void worker.failed.then(stop.crash);
  const left = await stop.stopped;
  if (left > 0) log.error({ left }, "stopped before all was settled: these tasks run again when their leases have run out");
  else log.info({}, "stopped");
  return left > 0 || stop.crashed() ? 1 : 0;

  async function begin(): Promise<void> {
    if (given?.purge) await purge(app, worker, (queue, removed) => log.warn({ queue, removed }, "purged"));
    await worker.start();
    await beat?.start();
  }
}

/** What the line of an exception that nobody caught says of it. */
const endings: Readonly<Record<Blame, string>> = {
  task: "it counts as a crash of this task, and the process ends",
  ended: "its task had ended, so it counts as no crash, and the process ends",
  all: "it is of no known task and counts as a crash of all that ran here, and the process ends",
  none: "the process ends",
};

/** The arguments that are options of the worker too; those that were not given are absent. */
function workerOptions(given: WorkerArguments): WorkerOptions {
  const {
    app: _app,
    hostname,
    loglevel: _l,
    logFormat: _f,
    broker: _b,
    resultBackend: _r,
    purge: _p,
    beat: _B,
    inspect: _i,
    inspectBrk: _w,
    ...options
  } = given;
  return { ...options, ...(hostname !== undefined && { name: hostname }) };
}

/** Removes nothing before it is clear that the worker can start. */
async function purge(app: App, worker: Worker, tell: (queue: string, removed: number) => void): Promise<void> {
  await app.backend.open();
  for (const { name } of worker.options.queues) tell(name, await app.transport.purge(name));
}

interface Stopping {
  /** Whether the worker was told to stop, by whatever. */
  told(): boolean;
  crashed(): boolean;
  readonly crash: () => void;
  /** The number of deliveries left behind, once the worker has stopped. */
  readonly stopped: Promise<number>;
}

/** Stops the beat, then the worker, at SIGTERM, SIGHUP, a first SIGINT, or a crash; a SIGINT after any of them ends its patience. */
function stopSignals(worker: Worker, beat: BesideBeat | undefined): Stopping {
  const now = new AbortController();
  let told = false;
  let crashed = false;
  let stop = () => {};
  const stopped = new Promise<number>((resolve, reject) => {
    stop = () => {
      told = true;
      stopBoth().then(resolve, reject);
    };
  });
  const stopBoth = async () => {
    await beat?.stop();
    return worker.stop(now.signal);
  };
  // Not `once`: a second one would end the process on the spot.
  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
  process.on("SIGINT", () => {
    if (told) now.abort();
    else stop();
  });
  const crash = () => {
    crashed = true;
    stop();
  };
  return { told: () => told, crashed: () => crashed, crash, stopped };
}

function ownVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as { readonly version: string };
  return manifest.version;
}
