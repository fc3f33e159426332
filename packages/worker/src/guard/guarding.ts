import type { LoanData } from "@bullrush/broker";
import type { ReadRow } from "./held-rows.js";
import type { FromGuard, ToGuard, Watched } from "./messages.js";
import { Standstill } from "./standstill.js";
import { WorkerWatch, type Reason, type WorkerWatchOptions } from "./worker-watch.js";

export interface GuardingOptions {
  /** Counts the turns of the event loop. */
  readonly beats: () => number;
  /** When it last counted one, ms of `steadyNow`. */
  readonly beatAt: () => number;
  /** Whether a debugger may have stopped the event loop: then the process is never ended. */
  readonly isDebugged: () => boolean;
  /** Ms of `steadyNow`. */
  readonly now: () => number;
  readonly openLoans: (loans: () => LoanData, onTrouble: (reason: string) => void) => ReturnType<WorkerWatchOptions["openLoans"]>;
  readonly say: (message: FromGuard) => void;
  /** Gets ready to write lines for a worker at once, whatever the event loop of the process does. */
  readonly prepare: (watched: Watched) => Promise<Write>;
  /** Ends the process on the spot. */
  readonly kill: () => void;
}

/** Writes a line. Never throws. */
export type Write = (level: "fatal" | "warn", facts: object, text: string) => void;

/** After how long a standstill a line says so, in ms: the worker itself says nothing before its event loop goes on. */
const warnAfter = 30_000;

/** Most tasks that a line names. */
const maxNamed = 20;

/** The guard of a process: watches its event loop for all its workers. */
export class Guarding {
  readonly #options: GuardingOptions;
  readonly #watches = new Map<number, WorkerWatch>();
  readonly #standstill = new Standstill(() => this.interval);
  /** Those whose users were warned in this standstill, and of what. */
  readonly #warned = new Map<WorkerWatch, Set<Reason | undefined>>();
  #ending = false;

  constructor(options: GuardingOptions) {
    this.#options = options;
  }

  /** Time between two looks, in ms. */
  get interval(): number {
    const leases = Array.from(this.#watches.values(), ({ watched }) => watched.loans.lease);
    return Math.max(20, Math.min(15_000, ...leases) / 12);
  }

  onMessage(message: ToGuard): void {
    const { worker } = message;
    switch (message.type) {
      case "watch": {
        const { watched } = message;
        const openLoans: WorkerWatchOptions["openLoans"] = (onTrouble) => this.#options.openLoans(() => watch.watched.loans, onTrouble);
        const watch: WorkerWatch = new WorkerWatch({ watched, openLoans, say: (news) => this.#options.say({ ...news, worker }) });
        this.#watches.set(worker, watch);
        void watch.start().then(() => this.#options.say({ type: "ready", worker }));
        break;
      }
      case "rows":
        this.#watches.get(worker)?.addRows(message.block);
        break;
      case "task":
        this.#watches.get(worker)?.addTask(message.name);
        break;
      case "loans":
        this.#watches.get(worker)?.setLoans(message.loans);
        break;
      case "leave":
        this.#watches.get(worker)?.close();
        this.#watches.delete(worker);
        break;
    }
  }

  look(): void {
    const { beats, beatAt, now, isDebugged } = this.#options;
    const at = now();
    const stood = this.#standstill.look(beats(), at);
    if (stood === 0) this.#warned.clear();
    for (const watch of this.#watches.values()) {
      const reason = watch.look(stood, at, beatAt());
      if (isDebugged()) continue;
      if (stood >= warnAfter) void this.#warn(watch, undefined, stood);
      if (reason === undefined) continue;
      if (watch.watched.endsProcess) void this.#end(watch, reason, stood);
      else void this.#warn(watch, reason, stood);
    }
  }

  /** Ends the process, once what it has on loan is with others: until then it is tried again. Not if its event loop goes on meanwhile. */
  async #end(watch: WorkerWatch, reason: Reason, stood: number): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    const { beats, now, prepare, kill } = this.#options;
    const beatsBefore = beats();
    // Whatever takes its time comes before anything is let go.
    const write = await prepare(watch.watched).catch(() => () => {});
    try {
      const facts = this.#factsOf(watch, reason, stood);
      for (const each of this.#watches.values()) {
        if (beats() !== beatsBefore) break;
        await each.letGo(reason, now()).catch((error: unknown) => {
          // Without the broker the leases run out, which comes to the same for what counts as crashed.
          if (reason !== "blocked") throw error;
        });
      }
      if (beats() === beatsBefore) {
        write("fatal", facts, `${texts[reason]}: the process ends, and what it held goes to other workers`);
        return kill();
      }
    } catch {
      // It is tried again at the next look.
    }
    this.#ending = false;
  }

  /** Writes a line, once in a standstill for each reason; without a reason, that the event loop stands still. */
  async #warn(watch: WorkerWatch, reason: Reason | undefined, stood: number): Promise<void> {
    const warned = this.#warned.get(watch) ?? new Set();
    if (warned.has(reason)) return;
    this.#warned.set(watch, warned.add(reason));
    const facts = this.#factsOf(watch, reason, stood);
    const write = await this.#options.prepare(watch.watched).catch(() => () => {});
    write("warn", facts, reason === undefined ? standsStill : texts[reason]);
  }

  /** What is held, and for how long it has been; first what is the reason. */
  #factsOf(watch: WorkerWatch, reason: Reason | undefined, stood: number): object {
    const now = this.#options.now();
    const isReason = (row: ReadRow) => reason !== undefined && watch.isReason(row, reason, now);
    const rows = watch.rows().toSorted((one, other) => Number(isReason(other)) - Number(isReason(one)) || one.heldAt - other.heldAt);
    const tasks = rows.slice(0, maxNamed).map((row) => ({
      task: watch.taskOf(row),
      id: row.id,
      held: Math.round(now - row.heldAt),
      ...(isReason(row) && { reason }),
    }));
    return { worker: watch.watched.loans.worker, reason, stood: Math.round(stood), held: rows.length, tasks };
  }
}

const standsStill =
  "the event loop stands still, and nothing is taken or settled: one of these tasks computes for too long; threads or processes (-P) are for such tasks";

const texts: Readonly<Record<Reason, string>> = {
  "time limit": "a task has run for longer than its time limit, and the event loop stands still",
  terminated: "a task was revoked, to be ended at once, and the event loop stands still",
  blocked: "the event loop has stood still for too long",
};
