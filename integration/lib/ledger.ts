import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * What a task, or a test, did. A task writes `start` first and `end` last; what it writes in
 * between is its own.
 */
export interface Deed {
  readonly deed: string;
  /** Of the task. */
  readonly id: string;
  /** Name of the worker, or "test". */
  readonly worker: string;
  readonly pid: number;
  /** Ms since the epoch. */
  readonly at: number;
}

/**
 * A history that no fault touches: a file to which the tasks of all processes append a line for
 * each thing they do. Removed at the end of `using`.
 */
export interface Ledger extends Disposable {
  readonly file: string;
  /** All deeds so far, in their order. */
  read(): readonly Deed[];
  /** The deeds of one task so far: `start` by default. */
  of(id: string, deed?: string): readonly Deed[];
  /** How often each task began so far. */
  starts(): ReadonlyMap<string, number>;
  /**
   * The ids of the tasks that began in a process and have not ended there: those that die with it.
   */
  runningIn(pid: number): readonly string[];
  /** Writes a deed of the test, for tasks that wait for it. */
  write(deed: string, id: string): void;
}

export function openLedger(): Ledger {
  const directory = mkdtempSync(join(tmpdir(), "bullrush-ledger-"));
  const file = join(directory, "deeds.jsonl");
  appendFileSync(file, "");

  function read(): readonly Deed[] {
    // A line that is being written has no end yet.
    const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
    return lines.map((line) => JSON.parse(line) as Deed);
  }

  function starts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { deed, id } of read()) if (deed === "start") counts.set(id, (counts.get(id) ?? 0) + 1);
    return counts;
  }

  function runningIn(pid: number): readonly string[] {
    const running = new Set<string>();
    for (const deed of read()) {
      if (deed.pid !== pid) continue;
      if (deed.deed === "start") running.add(deed.id);
      if (deed.deed === "end") running.delete(deed.id);
    }
    return [...running];
  }

  return {
    file,
    read,
    of: (id, deed = "start") => read().filter((one) => one.id === id && one.deed === deed),
    starts,
    runningIn,
    write: (deed, id) => appendFileSync(file, `${JSON.stringify({ deed, id, worker: "test", pid: process.pid, at: Date.now() })}\n`),
    [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
  };
}
