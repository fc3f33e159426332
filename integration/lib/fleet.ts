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
   * Of all workers, unless `start` says otherwise: any option of a worker but its log. Default: a
   * lease of 2 s and a scan every 250 ms.
   */
  readonly worker?: Omit<WorkerOptions, "log">;
}

export interface MemberOptions extends Omit<WorkerOptions, "log" | "name">, Partial<Redises> {}

/**
 * Worker processes on one set of queues, a producer beside them, and a ledger of what their tasks
 * do. The tasks are those of `faults/fixtures/tasks.mjs`.
 */
export interface Fleet extends AsyncDisposable {
  readonly prefix: string;
  readonly app: App;
  readonly ledger: Ledger;
  /** The environment of a process that is to work here: for what is not started by `start`. */
  env(redises?: Partial<Redises>): Readonly<Record<string, string>>;
  /** Starts a worker process. */
  start(name: string, options?: MemberOptions): Program;
  /**
   * Starts a worker process, and another one in its place whenever it dies, until the fleet ends.
   */
  supervise(name: string, options?: MemberOptions): Supervised;
}

export interface Supervised {
  /** The process that runs now, or the one that is about to take its place. */
  current(): Program;
  /** How many processes there were. */
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
