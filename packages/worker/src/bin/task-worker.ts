import type { Logger } from "pino";
import {
  createLogger,
  discoverApp,
  expandName,
  logOutput,
  OutputCapture,
  shownPasswords,
  uncheckedLinks,
  logUnhandledErrors,
} from "@bullrush/program";
import { packageVersion, runCommand } from "@bullrush/program/command";
import type { WorkerOptions } from "../options.js";
import { createWorker, type Blame, type Worker } from "../worker.js";
import { parseArguments, type WorkerArguments } from "./arguments.js";
import { bannerFacts, bannerText } from "./banner.js";
import { openDebugger } from "./inspect.js";
import { openBeat, type BesideBeat } from "./beat.js";
import { ask, checkPurge, ownTerminal, purge, type Terminal } from "./purge.js";

/** The command `task-worker`: runs until it is told to stop, and ends the process. Help and errors call it `name`. */
export async function runTaskWorker(argv: readonly string[], name = "task-worker"): Promise<void> {
  await runCommand(name, () => work(argv, name));
}

async function work(argv: readonly string[], command: string): Promise<number> {
  const version = packageVersion(import.meta.url);
  const given = parseArguments(argv, version, command);
  if (given === undefined) return 0;
  const terminal = given.yes ? undefined : ownTerminal();
  if (given.purge) checkPurge(given.yes ?? false, terminal);
  const format = given.logFormat ?? (process.stdout.isTTY ? "pretty" : "json");
  let name = expandName(given.hostname ?? "worker@%h");
  const log = await createLogger(given.loglevel, format, { worker: () => name });
  // From here on: what the module of the app writes while it is loaded must not stand between the lines.
  const capture = given.captureConsole ? new OutputCapture((output) => logOutput(log, output)) : undefined;
  capture?.start();
  const onNamed = (got: string) => {
    name = got;
  };
  try {
    return await consume(given, { version, format, log, capture, terminal, onNamed });
  } finally {
    capture?.stop();
  }
}

interface Dependencies {
  readonly version: string;
  readonly format: "pretty" | "json";
  readonly log: Logger;
  readonly capture: OutputCapture | undefined;
  /** Where it is asked whether to purge; `undefined` if it is not. */
  readonly terminal: Terminal | undefined;
  /** Hears the name of the worker, for all lines from then on. */
  readonly onNamed: (name: string) => void;
}

/** How long a worker that is not connected says nothing of itself, in ms. */
const patience = 500;

/** Runs a worker until it is told to stop. Returns the exit code. */
async function consume(given: WorkerArguments, { version, format, log, capture, terminal, onNamed }: Dependencies): Promise<number> {
  const address = given.inspectBrk ?? given.inspect;
  if (address !== undefined) openDebugger(address === true ? { host: "127.0.0.1", port: 9229 } : address, given.inspectBrk !== undefined);
  const { app, reference } = await discoverApp(given.app, process.cwd(), process.env);
  const { broker, resultBackend: backend } = given;
  app.override({ ...(broker !== undefined && { broker }), ...(backend !== undefined && { backend }) });
  let introduced = false;
  /** Once, with the name that it has by then. */
  const introduce = () => {
    if (introduced) return;
    introduced = true;
    const facts = bannerFacts(app, worker.options);
    if (format === "json") log.info({ version, ...facts }, "starting");
    else writeAside(capture, bannerText(facts, version));
  };
  const named = (name: string) => {
    onNamed(name);
    introduce();
  };
  const options = { endsProcess: true, ...workerOptions(given), module: reference, log };
  const worker = createWorker(app, options, { format, capture, onNamed: named, ...(address !== undefined && { inspect: true }) });
  const beat = given.beat ? await openBeat(app, log, given.allowEviction ?? false) : undefined;
  const stop = stopSignals(worker, beat, log);
  logUnhandledErrors(
    log,
    () => {
      const blame = worker.crashed();
      stop.crash();
      return endings[blame];
    },
    given,
  );
  const warnings = [...shownPasswords({ "--broker": broker, "--result-backend": backend }), ...uncheckedLinks(app)];
  for (const warning of warnings) log.warn(warning);
  try {
    await Promise.race([begin(), stop.stopped]);
  } catch (error) {
    // Told to stop before it was ready, it fails because its connections were closed.
    if (!stop.requested()) {
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
    if (given.purge && !(await purgeQueues())) {
      throw new Error("nothing was removed, and no worker was started: start it without --purge to keep what waits");
    }
    const soon = setTimeout(introduce, patience);
    try {
      await worker.start();
    } finally {
      clearTimeout(soon);
      introduce();
    }
    await beat?.start();
  }

  async function purgeQueues(): Promise<boolean> {
    const queues = worker.options.queues.map((queue) => queue.name);
    return purge(app, queues, isWanted, (queue, removed) => log.warn({ queue, removed }, "purged"));
  }

  async function isWanted(question: string): Promise<boolean> {
    if (terminal === undefined) return true;
    capture?.stop();
    try {
      return await ask(terminal, question);
    } finally {
      capture?.start();
    }
  }
}

/** Writes to stdout what is to be no line. */
function writeAside(capture: OutputCapture | undefined, text: string): void {
  capture?.stop();
  process.stdout.write(text);
  capture?.start();
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
    yes: _y,
    beat: _B,
    inspect: _i,
    inspectBrk: _w,
    ...options
  } = given;
  return { ...options, ...(hostname !== undefined && { name: hostname }) };
}

interface Stopping {
  /** Whether the worker was told to stop, by whatever. */
  requested(): boolean;
  crashed(): boolean;
  readonly crash: () => void;
  /** The number of deliveries left behind, once the worker has stopped. */
  readonly stopped: Promise<number>;
}

/** Stops the beat, then the worker, at SIGTERM, SIGHUP, a first SIGINT, or a crash; a SIGINT after any of them ends its patience. */
function stopSignals(worker: Worker, beat: BesideBeat | undefined, log: Logger): Stopping {
  const now = new AbortController();
  let requested = false;
  let crashed = false;
  let stop = () => {};
  const stopped = new Promise<number>((resolve, reject) => {
    stop = () => {
      requested = true;
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
    if (!requested) log.warn("Ctrl-C once more ends the wait: what still runs is put back at once");
    else if (!now.signal.aborted) log.warn("the wait ends: what still runs is put back");
    if (requested) now.abort();
    else stop();
  });
  const crash = () => {
    crashed = true;
    stop();
  };
  return { requested: () => requested, crashed: () => crashed, crash, stopped };
}
