import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { createApp, type App } from "@bullrush/client";
import type { WorkerOptions } from "@bullrush/worker";
import { startProgram, type Program } from "./program.js";
import { redisUrl } from "./redis-url.js";
import { openLedger, type Ledger } from "./ledger.js";

/** Both Redis servers of a process. */
interface Redises {
  readonly broker: string;
  readonly backend: string;
}

export interface FleetOptions extends Partial<Redises> {
  /**
   * Options of all workers, unless `start` overrides them; any but the log. Default: a lease of 2 s
   * and a scan every 250 ms.
   */
  readonly worker?: Omit<WorkerOptions, "log">;
}

export interface MemberOptions extends Omit<WorkerOptions, "log" | "name">, Partial<Redises> {}

/**
 * Worker processes on one set of queues, with a producer, and a ledger of what their tasks do. The
 * tasks are those of `faults/fixtures/tasks.mjs`.
 */
export interface Fleet extends AsyncDisposable {
  readonly prefix: string;
  readonly app: App;
  readonly ledger: Ledger;
  /** The environment for a process of the fleet that `start` does not start. */
  env(redises?: Partial<Redises>): Readonly<Record<string, string>>;
  /** Starts a worker process. */
  start(name: string, options?: MemberOptions): Program;
  /** Starts a worker process, and restarts it whenever it dies, until the fleet ends. */
  supervise(name: string, options?: MemberOptions): Supervised;
}

export interface Supervised {
  /** The current process, or the next one if it has just died. */
  current(): Program;
  /** How many processes were started. */
  starts(): number;
}

const workerFile = fileURLToPath(new URL("../faults/fixtures/worker.mjs", import.meta.url));

/** Default: broker and backend are the shared Redis. */
export function openFleet({ worker: common, ...given }: FleetOptions = {}): Fleet {
  const prefix = `faults-${randomUUID()}`;
  const redises = { broker: redisUrl(), backend: redisUrl(), ...given };
  const ledger = openLedger();
  const app = createApp({ ...redises, prefix, queues: ["one"], defaultQueue: "one" });
  const members = new Set<Program>();
  let ending = false;

  function env({ broker = redises.broker, backend = redises.backend }: Partial<Redises> = {}): Readonly<Record<string, string>> {
    return { BULLRUSH_BROKER_URL: broker, BULLRUSH_RESULT_BACKEND: backend, FAULTS_PREFIX: prefix, FAULTS_LEDGER: ledger.file };
  }

  function start(name: string, { broker, backend, ...options }: MemberOptions = {}): Program {
    const worker: WorkerOptions = { lease: "2s", scan: "250ms", ...common, ...options, name };
    const at = { ...(broker && { broker }), ...(backend && { backend }) };
    const member = startProgram({ file: workerFile, env: { ...env(at), FAULTS_WORKER: JSON.stringify(worker) } });
    members.add(member);
    void member.exit.then(() => members.delete(member));
    return member;
  }

  function supervise(name: string, options?: MemberOptions): Supervised {
    let starts = 0;
    let current = next();
    function next(): Program {
      starts++;
      const member = start(name, options);
      void member.exit.then(() => {
        if (!ending) current = next();
      });
      return member;
    }
    return { current: () => current, starts: () => starts };
  }

  async function end(): Promise<void> {
    ending = true;
    await Promise.all([...members].map((member) => member.kill()));
    await app.close();
    ledger[Symbol.dispose]();
  }

  return { prefix, app, ledger, env, start, supervise, [Symbol.asyncDispose]: end };
}
