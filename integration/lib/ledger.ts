import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * A deed of a task or a test. A task writes `start` first and `end` last; the deeds between are its
 * own.
 */
export interface Deed {
  readonly deed: string;
  /** Id of the task. */
  readonly id: string;
  /** Name of the worker, or "test". */
  readonly worker: string;
  readonly pid: number;
  /** Ms since the epoch. */
  readonly at: number;
}

/**
 * A history that no fault can damage: a file to which the tasks of all processes append a line for
 * each deed. Removed at the end of `using`.
 */
export interface Ledger extends Disposable {
  readonly file: string;
  /** All deeds so far, in order. */
  read(): readonly Deed[];
  /** The deeds of one task so far: `start` by default. */
  of(id: string, deed?: string): readonly Deed[];
  /** How often each task has started so far. */
  starts(): ReadonlyMap<string, number>;
  /**
   * The ids of the tasks that started in a process and have not ended there: the tasks that die
   * with it.
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
    // A line that is still being written is incomplete.
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
