import { systemClock, type BullrushError, type Consumer, type Delivery, type Revocation } from "@bullrush/broker";
import type { App } from "@bullrush/client";
import { pino, type Logger } from "pino";
import { Dispatcher } from "./consuming/dispatcher.js";
import { Executor } from "./execution/executor.js";
import { eventLog } from "./middleware/event-log.js";
import { expiry } from "./middleware/expiry.js";
import { compose } from "./middleware/middleware.js";
import { timeLimit } from "./middleware/time-limit.js";
import { compileWorkerOptions, type CompiledWorkerOptions, type WorkerOptions } from "./options.js";
import { createPool } from "./pool/create-pool.js";
import { insideRunner } from "./pool/inside/inside.js";
import type { Pool } from "./pool/pool.js";
import { controlListener } from "./service/control-listener.js";
import { heldSlots } from "./service/held-slots.js";
import { flowMender } from "./service/flow-mender.js";
import { lagMonitor } from "./service/lag-monitor.js";
import { leaseKeeper } from "./service/lease-keeper.js";
import { recovery } from "./service/recovery.js";
import type { Service } from "./service/service.js";
import { TroubleLog } from "@bullrush/client/program";

/** The consuming process of an app. */
export interface Worker {
  readonly options: CompiledWorkerOptions;
  /**
   * Connects, and begins to take. Rejects within 5 s each if broker or result backend cannot be reached or refuse the user, and with `POOL_FAILED` if the pool's runners cannot load
   * the app; `stop()` closes what was opened. In a runner, which may load a module that starts a worker, it does nothing.
   */
  start(): Promise<void>;
  /** Resolves when the worker stops by itself, because no runners of its pool can be started any more. */
  readonly failed: Promise<BullrushError>;
  /**
   * Stops taking, waits for what runs, and at `shutdownTimeout` (or as soon as `now` aborts) asks the tasks to end and puts them back into their queues. Closes the app's connections. Gives the number of
   * deliveries that could not be settled, because the broker could not be reached: they run again when their leases have run out.
   */
  stop(now?: AbortSignal): Promise<number>;
}

/** How long, after the shutdown's patience, the last settlements may take, in ms. */
const lastSettlements = 4500;

/** A worker on `app`. Throws `INVALID_OPTION` or `INVALID_QUEUE_NAME`. */
export function createWorker(app: App, given: WorkerOptions = {}): Worker {
  const options = compileWorkerOptions(given, app.options.queues);
  const log = given.log ?? pino();
  let parts: Parts | undefined;
  let started: Promise<void> | undefined;
  let stopped: Promise<number> | undefined;
  let onFailure: (error: BullrushError) => void = () => {};
  const failed = new Promise<BullrushError>((resolve) => {
    onFailure = (error) => {
      if (!ready) return;
      log.fatal({ reason: error.message }, "the worker cannot go on");
      resolve(error);
      void stop();
    };
  });
  let ready = false;
  const stop = (now?: AbortSignal) => (stopped ??= stopOnce(now));

  async function startOnce(): Promise<void> {
    if (insideRunner()) return;
    const { lease, scan, order, queues, name } = options;
    const consumer = app.transport.consume({ queues, order, lease, scan, worker: name });
    const warnings = await consumer.open();
    await app.backend.open();
    for (const warning of warnings) log.warn(warning);
    const declared = app.options.queues;
    const undeclared = queues.map((queue) => queue.name).filter((queue) => !declared.includes(queue));
    if (undeclared.length > 0) log.warn({ queues: undeclared, declared }, "takes from queues that the app does not declare");
    const trouble = new TroubleLog(log, systemClock);
    app.onTrouble((service, reason) => trouble.warn(`${service} cannot be reached`, reason));
    const pool = createPool(options, { app, worker: name, log, lender: () => parts?.dispatcher.lender, onFailure });
    parts = assemble(app, options, { consumer, pool, log, trouble });
    await pool.start();
    if (stopped !== undefined) return;
    ready = true;
    for (const service of parts.services) service.start();
    parts.dispatcher.start();
    log.info({ worker: name, queues: queues.map((queue) => queue.name) }, "ready");
  }

  async function stopOnce(now?: AbortSignal): Promise<number> {
    const left = parts === undefined ? 0 : await drain(parts, options, now, log);
    await app.close();
    return left;
  }

  return { options, start: () => (started ??= startOnce()), stop, failed };
}

interface Parts {
  readonly dispatcher: Dispatcher;
  readonly pool: Pool;
  readonly services: readonly Service[];
}

interface Surroundings {
  readonly consumer: Consumer;
  readonly pool: Pool;
  readonly log: Logger;
  readonly trouble: TroubleLog;
}

function assemble(app: App, options: CompiledWorkerOptions, { consumer, pool, log, trouble }: Surroundings): Parts {
  const { lease, scan, name, concurrency } = options;
  const clock = systemClock;
  const limits = timeLimit({ soft: options.softTimeLimit, hard: options.timeLimit });
  const executor = new Executor({
    tasks: app.tasks,
    backend: app.backend,
    startFlow: (flow) => app.transport.startFlow(flow),
    begin: (delivery) => consumer.begin(delivery),
    run: compose([eventLog(log, clock), expiry(clock), limits], (execution) => pool.run(execution)),
    sharesProcess: options.pool !== "processes",
    worker: name,
    resultExpires: app.options.resultExpires,
    clock,
    log,
    rest: (queue, pause) => consumer.rest(queue, pause),
  });
  const dispatcher = new Dispatcher({ consumer, executor, concurrency, clock, log, trouble });
  const held = () => dispatcher.held();
  const onRevoked = (delivery: Delivery, revocation: Revocation) => dispatcher.revoked(delivery, revocation);
  const services = [
    leaseKeeper({
      consumer,
      lease,
      held,
      isOpen: (delivery) => dispatcher.isOpen(delivery),
      onLost: (delivery) => dispatcher.lost(delivery),
      onRevoked,
      log,
      trouble,
    }),
    controlListener({ control: app.control, held, onRevoked, trouble }),
    recovery({ consumer, scan, log }),
    flowMender({ consumer, stale: lease, log }),
    lagMonitor({ lease, pool: options.pool, held, now: () => performance.now(), log }),
    heldSlots({
      slots: () => dispatcher.slots(),
      counts: () => app.transport.counts(options.queues.map((queue) => queue.name)),
      pool: options.pool,
      clock,
      log,
    }),
  ];
  return { dispatcher, pool, services };
}

async function drain(
  { dispatcher, pool, services }: Parts,
  { shutdownTimeout }: CompiledWorkerOptions,
  now: AbortSignal | undefined,
  log: Logger,
): Promise<number> {
  log.info({ running: dispatcher.running, timeout: shutdownTimeout }, "stopping");
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
    return await dispatcher.stop(patience.signal, limit.signal);
  } finally {
    clearTimeout(patienceTimer);
    clearTimeout(limitTimer);
    now?.removeEventListener("abort", lose);
    for (const service of services) service.stop();
    await pool.stop();
  }
}
