import { hostname } from "node:os";
import { newId, systemClock, type BullrushError, type Consumer, type Delivery, type Revocation } from "@bullrush/broker";
import { type App, enclosingTask, type TaskContext } from "@bullrush/client";
import { jsonLogger, logOutput, OutputCapture, ThrottledLog } from "@bullrush/program";
import type { Logger } from "pino";
import { FetchLoop } from "./consuming/fetch-loop.js";
import { vouched } from "./consuming/vouched.js";
import { Executor } from "./execution/executor.js";
import { loopGuard, type LoopGuard } from "./guard/loop-guard.js";
import { eventLog } from "./middleware/event-log.js";
import { hookEnds, hookEvents } from "./middleware/hook-events.js";
import { compose } from "./middleware/middleware.js";
import { timeLimit } from "./middleware/time-limit.js";
import { compileWorkerOptions, type CompiledWorkerOptions, type WorkerOptions } from "./options.js";
import { createPool } from "./pool/create-pool.js";
import { refuse } from "./refuse.js";
import { insideRunner } from "./pool/inside/inside.js";
import type { Pool } from "./pool/pool.js";
import { controlListener } from "./service/control-listener.js";
import { heldSlots } from "./service/held-slots.js";
import { flowRepairer } from "./service/flow-repairer.js";
import { lagMonitor } from "./service/lag-monitor.js";
import { leaseKeeper } from "./service/lease-keeper.js";
import { keepName, type NameKeeper } from "./service/name-keeper.js";
import { loopWatchdog } from "./service/loop-watchdog.js";
import { recovery } from "./service/recovery.js";
import type { Service } from "./service/service.js";

/**
 * What an exception that nobody caught counts for. `task`: it is of a task that runs here, and counts as a crash of that. `ended`: it is of
 * a task that does not run here any more. `all`: it is of no known task, and counts as a crash of all that run here. `none`: no task runs
 * here that could have thrown it.
 */
export type Blame = "task" | "ended" | "all" | "none";

/** The consuming process of an app. */
export interface Worker {
  /** The name is the one that it bears once it has begun to start. */
  readonly options: CompiledWorkerOptions;
  /**
   * Connects, and begins to take. Rejects within 5 s each if broker or result backend cannot be reached or refuse the user, and with `POOL_FAILED` if the pool's runners cannot load
   * the app; `stop()` closes what was opened. In a runner, which may load a module that starts a worker, it does nothing.
   */
  start(): Promise<void>;
  /** Resolves when the worker stops by itself: no runners of its pool can be started any more, or Redis does not let its user take, settle or listen. */
  readonly failed: Promise<BullrushError>;
  /**
   * To be called by a handler of `uncaughtException`, and followed by `stop()`: takes nothing more, and settles at once what runs in this process. The task that threw the exception, as its asynchronous context
   * tells, goes back into its queue, and that counts as a crash; without a context that goes for all that run. The other tasks go back uncounted, but for those that must not run twice: `stop()` waits for them.
   * If the task had ended, or tasks run in runners, nothing is settled, and `stop()` waits for all.
   */
  crashed(): Blame;
  /**
   * Stops taking, waits for what runs, and at `shutdownTimeout` (or as soon as `now` aborts) asks the tasks to end and puts them back into their queues. Closes the app's connections. Gives the number of
   * deliveries that could not be settled, because the broker could not be reached: they run again when their leases have run out.
   */
  stop(now?: AbortSignal): Promise<number>;
}

/** How long, after the shutdown's patience, the last settlements may take, in ms. */
const lastSettlements = 4500;

/** What a command tells its worker beyond the options. */
export interface Internals {
  /** How lines are written that cannot wait for the event loop. Default: `json`. */
  readonly format?: "pretty" | "json";
  /** What has the output of this process already. Default: the worker takes it itself, if `captureConsole` says so. */
  readonly capture?: OutputCapture | undefined;
  /** Hears, before anything is logged of it, that the worker has its name; the lines of `log` have it by themselves then. */
  readonly onNamed?: (name: string) => void;
  /** Whether debuggers may attach to the pool's processes too, if they may to this one. Default: if Node was started with `--inspect`. */
  readonly inspect?: boolean;
  /** Whether `stop()` leaves the app open. Default: `false`. */
  readonly leavesApp?: boolean;
}

/** A worker on `app`. Throws `INVALID_OPTION` or `INVALID_QUEUE_NAME`. */
export function createWorker(app: App, given?: WorkerOptions): Worker;
/** @internal */
export function createWorker(app: App, given: WorkerOptions, internals: Internals): Worker;
export function createWorker(app: App, given: WorkerOptions = {}, internals: Internals = {}): Worker {
  let options = compileWorkerOptions(given, app.options.queues);
  if (app.options.isLocal && options.pool !== "inline") {
    refuse("pool", `"${options.pool}"`, "inline: threads and child processes cannot reach what the broker keeps in this process");
  }
  let log = given.log ?? jsonLogger();
  const capture = internals.capture ?? (options.captureConsole ? new OutputCapture((output) => logOutput(log, output)) : undefined);
  let named: NameKeeper | undefined;
  let parts: Parts | undefined;
  let started: Promise<void> | undefined;
  let stopped: Promise<number> | undefined;
  let onFailure: (error: BullrushError) => void = () => {};
  const failed = new Promise<BullrushError>((resolve) => {
    onFailure = (error) => {
      if (!ready || hopeless) return;
      hopeless = true;
      log.fatal({ reason: error.message }, "the worker cannot go on");
      resolve(error);
      void stop();
    };
  });
  let ready = false;
  let hopeless = false;
  /** Tasks that have crashed here: while the worker ends they may throw again, and that is nothing new. */
  const blamed = new WeakSet<TaskContext>();
  const stop = (now?: AbortSignal) => (stopped ??= stopOnce(now));

  async function startOnce(): Promise<void> {
    if (insideRunner()) return;
    try {
      await takeName();
      await begin();
    } catch (error) {
      await giveBack();
      throw error;
    }
  }

  /** What others can have once it has stopped, or could not start. */
  async function giveBack(): Promise<void> {
    if (internals.capture === undefined) capture?.stop();
    await named?.stop();
  }

  async function begin(): Promise<void> {
    const { lease, scan, order, queues, name, allowEviction } = options;
    const trouble = new ThrottledLog(log, systemClock);
    const guard = loopGuard({
      queues: queues.map((queue) => queue.name),
      isTask: (task) => app.tasks.has(task),
      blockedLimit: options.blockedLimit,
      endsProcess: options.endsProcess,
      format: internals.format ?? "json",
      log,
      onTrouble: (reason) => trouble.warn("the guard thread cannot do its work", reason),
    });
    const consumer = app.engine.consume({
      queues: queues.map((queue) => ({ ...queue, retention: app.options.retentionOf(queue.name) })),
      order,
      lease,
      scan,
      worker: name,
      takeWatch: guard.takes,
      allowEviction,
    });
    const warnings = await consumer.open();
    await app.engine.results.open();
    for (const warning of warnings) log.warn(warning);
    named?.start(log);
    const declared = app.options.queues;
    const undeclared = queues.map((queue) => queue.name).filter((queue) => !declared.includes(queue));
    if (undeclared.length > 0) log.warn({ queues: undeclared, declared }, "takes from queues that the app does not declare");
    app.onConnectionError((service, reason) => trouble.warn(`${service} cannot be reached`, reason));
    app.onHookTrouble((text, cause) => trouble.warn(text, cause));
    const pool = createPool(options, {
      app,
      worker: name,
      log,
      capture,
      lender: () => parts?.loop.runs.lender,
      onFailure,
      inspect: internals.inspect,
    });
    parts = assemble(app, options, { consumer, pool, log, trouble, guard, onHopeless: onFailure });
    await Promise.all([pool.start(), consumer.loans && guard.start(consumer.loans)]);
    if (stopped !== undefined) return;
    ready = true;
    for (const service of parts.services) service.start();
    parts.loop.start();
    log.info({ queues: queues.map((queue) => queue.name) }, "ready");
    app.layers.hooks.tell("workerReady", { worker: name, queues: queues.map((queue) => queue.name) });
  }

  /** All lines from here on have the name. */
  async function takeName(): Promise<void> {
    const holder = { host: hostname(), pid: process.pid, startedAt: systemClock.now() };
    named = await keepName({ names: app.engine.workers, name: options.name, numbered: options.numbered, token: newId(), holder });
    options = { ...options, name: named.name };
    if (internals.onNamed === undefined) log = log.child({ worker: named.name });
    else internals.onNamed(named.name);
    if (internals.capture === undefined && stopped === undefined) capture?.start();
  }

  async function stopOnce(now?: AbortSignal): Promise<number> {
    if (ready) app.layers.hooks.tell("workerStopping", { worker: options.name, queues: options.queues.map((queue) => queue.name) });
    const left = parts === undefined ? 0 : await drain(parts, options, now, log);
    await giveBack();
    if (internals.leavesApp !== true) await app.close();
    return left;
  }

  function crashed(): Blame {
    const culprit = enclosingTask();
    parts?.loop.takeNoMore();
    // What runs in a runner throws there.
    const crashes = options.pool === "inline" ? (parts?.loop.runs.crashed(culprit, "an exception that nobody caught") ?? 0) : 0;
    if (culprit === undefined) return crashes > 0 ? "all" : "none";
    if (crashes > 0) blamed.add(culprit);
    return blamed.has(culprit) ? "task" : "ended";
  }

  return {
    get options() {
      return options;
    },
    start: () => (started ??= startOnce()),
    stop,
    crashed,
    failed,
  };
}

interface Parts {
  readonly loop: FetchLoop;
  readonly pool: Pool;
  readonly services: readonly Service[];
  readonly guard: LoopGuard;
}

interface Dependencies {
  readonly consumer: Consumer;
  readonly pool: Pool;
  readonly log: Logger;
  readonly trouble: ThrottledLog;
  readonly guard: LoopGuard;
  readonly onHopeless: (error: BullrushError) => void;
}

function assemble(app: App, options: CompiledWorkerOptions, { consumer, pool, log, trouble, guard, onHopeless }: Dependencies): Parts {
  const { lease, scan, name, concurrency } = options;
  const { clock = systemClock } = app.engine;
  const { hooks } = app.layers;
  const tellEnd = hookEnds(hooks, name, clock);
  // The runners of other pools are killed by the worker, whose event loop they cannot block.
  const limits = timeLimit(
    { soft: options.softTimeLimit, hard: options.timeLimit },
    options.pool === "inline" ? guard : undefined,
    app.engine.clock,
  );
  const executor = new Executor({
    tasks: app.tasks,
    results: app.engine.results,
    startFlow: (flow) => app.engine.flows.begin(flow),
    surroundFlow: (flow, send) => app.surroundReplacement(flow, send),
    begin: (delivery) => consumer.begin(delivery),
    onBegin: (delivery, isOnce) => guard.begin(delivery, isOnce),
    run: compose([eventLog(log, clock), hookEvents(hooks, name), limits], (execution) => pool.run(execution)),
    sharesProcess: options.pool !== "processes",
    worker: name,
    resultExpires: app.options.resultExpires,
    clock,
    random: Math.random,
    log,
    rest: (queue, pause) => consumer.backOff(queue, pause),
    unregisteredGrace: options.unregisteredGrace,
  });
  const loop = new FetchLoop({
    consumer,
    executor,
    vouched: (deliveries) => vouched(app.engine.flows, deliveries),
    guard,
    concurrency,
    clock,
    log,
    trouble,
    tellEnd: () => (hooks.seesEnds ? tellEnd : undefined),
    onHopeless,
  });
  const held = () => loop.table.deliveries();
  const onRevoked = (delivery: Delivery, revocation: Revocation) => loop.runs.revoked(delivery, revocation);
  const services = [
    leaseKeeper({
      consumer,
      lease,
      held,
      isKept: (delivery) => loop.table.get(delivery)?.isKept === true,
      onLost: (delivery) => loop.runs.lost(delivery),
      onRevoked,
      log,
      trouble,
    }),
    controlListener({ control: app.engine.control, held, onRevoked, trouble }),
    recovery({ consumer, scan, log }),
    flowRepairer({ consumer, stale: lease, log }),
    lagMonitor({ lease, pool: options.pool, held, now: () => performance.now(), log }),
    loopWatchdog({ loop, queues: options.queues.map((queue) => queue.name), log }),
    heldSlots({
      slots: () => loop.slots(),
      counts: () => app.engine.queues.counts(options.queues.map((queue) => queue.name)),
      pool: options.pool,
      clock,
      log,
    }),
  ];
  return { loop, pool, services, guard };
}

async function drain(
  { loop, pool, services, guard }: Parts,
  { shutdownTimeout }: CompiledWorkerOptions,
  now: AbortSignal | undefined,
  log: Logger,
): Promise<number> {
  log.info({ running: loop.table.running, timeout: shutdownTimeout }, "stopping");
  const patience = new AbortController();
  const limit = new AbortController();
  const lose = () => {
    patience.abort();
    limitTimer ??= setTimeout(() => limit.abort(), lastSettlements);
  };
  let limitTimer: NodeJS.Timeout | undefined;
  const patienceTimer = setTimeout(lose, shutdownTimeout);
  if (now?.aborted) lose();
  now?.addEventListener("abort", lose, { once: true });
  try {
    return await loop.stop(patience.signal, limit.signal);
  } finally {
    clearTimeout(patienceTimer);
    clearTimeout(limitTimer);
    now?.removeEventListener("abort", lose);
    for (const service of services) service.stop();
    await Promise.all([pool.stop(), guard.stop()]);
  }
}
