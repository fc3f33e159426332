import type { ReadRow } from "./held-rows.js";
import type { FromGuard, ToGuard, Watched } from "./messages.js";
import { Standstill } from "./standstill.js";
import { WorkerWatch, type Reason, type WorkerWatchOptions } from "./worker-watch.js";

export interface GuardingOptions {
  /** Counts the turns of the event loop. */
  readonly beats: () => number;
  /** Whether a debugger may have stopped the event loop: then the process is never ended. */
  readonly isDebugged: () => boolean;
  /** Ms of `steadyNow`. */
  readonly now: () => number;
  readonly openLoans: (watched: Watched, onTrouble: (reason: string) => void) => ReturnType<WorkerWatchOptions["openLoans"]>;
  readonly say: (message: FromGuard) => void;
  /** Writes a line now, whatever the event loop of the process does. */
  readonly write: (watched: Watched, level: "fatal" | "warn", facts: object, text: string) => Promise<void>;
  /** Ends the process on the spot. */
  readonly kill: () => void;
}

/** Most tasks that a line names. */
const maxNamed = 20;

/** The guard of a process: watches its event loop for all its workers. */
export class Guarding {
  readonly #options: GuardingOptions;
  readonly #watches = new Map<number, WorkerWatch>();
  readonly #standstill = new Standstill(() => this.interval);
  /** Those whose user was warned in this standstill. */
  readonly #warned = new Set<WorkerWatch>();
  #ending = false;

  constructor(options: GuardingOptions) {
    this.#options = options;
  }

  /** Time between two looks, in ms. */
  get interval(): number {
    const leases = Array.from(this.#watches.values(), ({ watched }) => watched.loans.lease);
    return Math.max(20, Math.min(15_000, ...leases) / 12);
  }

  hear(message: ToGuard): void {
    const { worker } = message;
    switch (message.type) {
      case "watch": {
        const { watched } = message;
        const openLoans: WorkerWatchOptions["openLoans"] = (onTrouble) => this.#options.openLoans(watched, onTrouble);
        const watch = new WorkerWatch({ watched, openLoans, say: (news) => this.#options.say({ ...news, worker }) });
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
      case "leave":
        this.#watches.get(worker)?.close();
        this.#watches.delete(worker);
        break;
    }
  }

  look(): void {
    const { beats, now, isDebugged } = this.#options;
    const at = now();
    const stood = this.#standstill.look(beats(), at);
    if (stood === 0) this.#warned.clear();
    for (const watch of this.#watches.values()) {
      const reason = watch.look(stood, at);
      if (reason === undefined || isDebugged()) continue;
      if (watch.watched.endsProcess) void this.#end(watch, reason, stood);
      else void this.#warn(watch, reason, stood);
    }
  }

  /** Ends the process, once what it has on loan is with others: until then it is tried again. */
  async #end(watch: WorkerWatch, reason: Reason, stood: number): Promise<void> {
    if (this.#ending) return;
    this.#ending = true;
    const { now, write, kill } = this.#options;
    try {
      const facts = this.#factsOf(watch, reason, stood);
      for (const each of this.#watches.values()) {
        await each.letGo(reason, now()).catch((error: unknown) => {
          // Without the broker the leases run out, which comes to the same for what counts as crashed.
          if (reason !== "blocked") throw error;
        });
      }
      await write(watch.watched, "fatal", facts, `${texts[reason]}: the process ends`);
      kill();
    } catch {
      this.#ending = false;
    }
  }

  async #warn(watch: WorkerWatch, reason: Reason, stood: number): Promise<void> {
    if (this.#warned.has(watch)) return;
    this.#warned.add(watch);
    await this.#options.write(watch.watched, "warn", this.#factsOf(watch, reason, stood), texts[reason]);
  }

  #factsOf(watch: WorkerWatch, reason: Reason, stood: number): object {
    const now = this.#options.now();
    const rows = watch.rows().toSorted((one, other) => one.heldAt - other.heldAt);
    const tasks = rows
      .slice(0, maxNamed)
      .map((row: ReadRow) => ({ task: watch.taskOf(row), id: row.id, ms: Math.round(now - row.heldAt) }));
    return { worker: watch.watched.loans.worker, reason, stood: Math.round(stood), held: rows.length, tasks };
  }
}

const texts: Readonly<Record<Reason, string>> = {
  "time limit": "a task has run for longer than its time limit, and the event loop stands still",
  terminated: "a task was revoked, to be ended at once, and the event loop stands still",
  blocked: "the event loop has stood still for too long",
};
