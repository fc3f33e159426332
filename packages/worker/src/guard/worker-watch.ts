import type { LoanData } from "@bullrush/broker";
import type { GuardedLoans, LetGo } from "@bullrush/broker/guard";
import { readRows, type ReadRow } from "./held-rows.js";
import type { FromGuard, Watched } from "./messages.js";
import { latest, memoryOf, rowsPerBlock, type Memory } from "./shared.js";
import { handBack } from "./take-slots.js";

/** Why a process is to be ended whose event loop stands still. */
export type Reason = "time limit" | "terminated" | "blocked";

export interface WorkerWatchOptions {
  readonly watched: Watched;
  /** Loads the client and opens a connection. */
  readonly openLoans: (onTrouble: (reason: string) => void) => Promise<GuardedLoans>;
  readonly say: (trouble: Omit<Extract<FromGuard, { type: "trouble" }>, "worker">) => void;
}

/** How long after a task should have ended its process is ended, in ms: its event loop may be about to go on. */
const grace = 1000;

/** With a lease shorter than this, in ms, there is no time to load the client and to connect once the event loop stands still. */
const shortLease = 6000;

/** Looks after what one worker has on loan while its event loop stands still. */
export class WorkerWatch {
  #watched: Watched;
  readonly #options: WorkerWatchOptions;
  readonly #takes: Memory;
  readonly #latest: Memory;
  readonly #blocks: Memory[] = [];
  readonly #tasks: string[] = [];
  readonly #isEager: boolean;
  #loans: Promise<GuardedLoans> | undefined;
  /** The row of the task that has stopped the event loop as soon as it began, if it is known. */
  #culprit: number | undefined;
  #engaged = false;
  #renewing = false;
  #renewAt = 0;
  /** Those that somebody wants to be ended at once, by their tokens, with when that was first seen. */
  #terminated: ReadonlyMap<string, number> = new Map();

  constructor(options: WorkerWatchOptions) {
    this.#watched = options.watched;
    this.#options = options;
    this.#takes = memoryOf(options.watched.takes);
    this.#latest = memoryOf(options.watched.latest);
    // A password of minutes may be of no use any more once it is needed.
    this.#isEager = options.watched.loans.lease < shortLease || options.watched.loans.rotates;
  }

  get watched(): Watched {
    return this.#watched;
  }

  setLoans(loans: LoanData): void {
    this.#watched = { ...this.#watched, loans };
  }

  /** Resolves when it is ready to act, and never rejects: what cannot be done ahead is tried again when it has to be done. */
  async start(): Promise<void> {
    if (!this.#isEager) return;
    try {
      await (await this.#open()).open();
    } catch {
      // The worker has no broker either.
    }
  }

  addRows(block: SharedArrayBuffer): void {
    this.#blocks.push(memoryOf(block));
  }

  addTask(name: string): void {
    this.#tasks.push(name);
  }

  taskOf(row: ReadRow): string {
    return this.#tasks[row.task] ?? "";
  }

  /** All that is on loan. */
  rows(): readonly ReadRow[] {
    return this.#blocks.flatMap((block, index) => readRows(block, index * rowsPerBlock));
  }

  /** Does what is due when the event loop has stood still for `stood` ms, since soon after `beatAt`, and gives why the process is to be ended, if it is. */
  look(stood: number, now: number, beatAt: number): Reason | undefined {
    const { loans, blockedLimit } = this.watched;
    if (stood < loans.lease / 6) {
      this.#rest();
      return undefined;
    }
    if (!this.#engaged) {
      this.#engaged = true;
      this.#renewAt = now;
    }
    const { numbers, times } = this.#latest;
    this.#culprit = (times[latest.begunAt] ?? 0) >= beatAt ? numbers[latest.row] : undefined;
    if (now >= this.#renewAt && !this.#renewing) void this.#renew(now);
    const rows = this.rows();
    for (const reason of ["time limit", "terminated"] as const) if (rows.some((row) => this.isReason(row, reason, now))) return reason;
    return stood >= blockedLimit ? "blocked" : undefined;
  }

  /** Whether `row` is why the process is to be ended for `reason`. */
  isReason(row: ReadRow, reason: Reason, now: number): boolean {
    // Whoever stopped the event loop kept the others from ending in time.
    if (reason === "time limit") return isOverdue(row, now) && (this.#culprit === undefined || this.#culprit === row.number);
    return reason === "terminated" && now >= (this.#terminated.get(row.token) ?? Infinity) + grace;
  }

  /** Puts back all that is on loan, because the process is about to be ended for `reason`. */
  async letGo(reason: Reason, now: number): Promise<void> {
    const loans = await this.#open();
    await this.#giveBack(loans);
    await loans.letGo(this.rows().map((row): LetGo => ({ ...row, how: this.#how(row, reason, now) })));
  }

  close(): void {
    void this.#loans?.then(
      (loans) => loans.close(),
      () => undefined,
    );
  }

  #how(row: ReadRow, reason: Reason, now: number): LetGo["how"] {
    if (reason === "blocked") return { type: row.begun ? "crashed" : "back" };
    if (this.isReason(row, "time limit", now)) return { type: "time-limit", limit: row.limit };
    // What must not run twice has begun: whoever takes it fails it. What was revoked is dropped by whoever takes it.
    return { type: row.once ? "crashed" : "back" };
  }

  #open(): Promise<GuardedLoans> {
    const opening = (this.#loans ??= this.#options.openLoans((reason) => this.#options.say({ type: "trouble", reason })));
    opening.catch(() => (this.#loans = undefined));
    return opening;
  }

  /** The event loop goes on. */
  #rest(): void {
    if (!this.#engaged) return;
    this.#engaged = false;
    this.#terminated = new Map();
    if (this.#isEager) return;
    this.close();
    this.#loans = undefined;
  }

  async #renew(now: number): Promise<void> {
    this.#renewing = true;
    try {
      const loans = await this.#open();
      await this.#giveBack(loans);
      const ended = await loans.renew(this.rows());
      this.#terminated = new Map(ended.map(({ token }) => [token, this.#terminated.get(token) ?? now]));
      this.#renewAt = now + this.watched.loans.lease / 3;
    } catch (error) {
      // Once the event loop goes on, its worker renews.
      if (this.#engaged) this.#options.say({ type: "trouble", reason: error instanceof Error ? error.message : String(error) });
    } finally {
      this.#renewing = false;
    }
  }

  /** What nobody has read goes to others. What is not put back here the worker puts back once its event loop goes on. */
  async #giveBack(loans: GuardedLoans): Promise<void> {
    await loans.giveBack(handBack(this.#takes));
  }
}

function isOverdue({ limit, begunAt }: ReadRow, now: number): boolean {
  return limit > 0 && begunAt > 0 && now >= begunAt + limit + grace;
}
