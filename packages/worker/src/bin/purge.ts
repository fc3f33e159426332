import { createInterface } from "node:readline/promises";
import { BullrushError, counted, type QueueCounts } from "@bullrush/broker";
import type { App } from "@bullrush/client";

/** Where a question is asked: a terminal that can be read and written. */
export interface Terminal {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

/** The terminal of this process; `undefined` if it has none. */
export function ownTerminal(): Terminal | undefined {
  const { stdin: input, stdout, stderr } = process;
  const output = stdout.isTTY ? stdout : stderr;
  return input.isTTY && output.isTTY ? { input, output } : undefined;
}

/** Throws `WORKER_USAGE` unless somebody has said, or can be asked, whether messages are to be removed. */
export function checkPurge(yes: boolean, terminal: Terminal | undefined): void {
  if (yes || terminal !== undefined) return;
  throw new BullrushError("WORKER_USAGE", {
    reason: "--purge removes waiting messages for good, and there is no terminal to ask in: add --yes, or leave it out",
  });
}

/**
 * Removes what waits in `queues`, if `isWanted` says so of how much that is; nothing before it is clear that the result backend can be reached. Tells how many messages were removed from each. Returns whether it was done; it asks about
 * nothing if nothing waits.
 */
export async function purge(
  app: App,
  queues: readonly string[],
  isWanted: (question: string) => Promise<boolean>,
  tell: (queue: string, removed: number) => void,
): Promise<boolean> {
  await app.engine.results.open();
  const question = questionOf(await app.engine.queues.counts(queues));
  if (question !== undefined && !(await isWanted(question))) return false;
  for (const queue of queues) tell(queue, await app.engine.queues.purge(queue));
  return true;
}

function questionOf(counts: readonly QueueCounts[]): string | undefined {
  const full = counts.map(({ queue, waiting, delayed }) => ({ queue, number: waiting + delayed })).filter(({ number }) => number > 0);
  const all = full.reduce((sum, { number }) => sum + number, 0);
  if (all === 0) return undefined;
  const places = full.map(({ queue, number }) => (full.length === 1 ? queue : `${queue} (${number})`)).join(", ");
  return `${counted(all, "message")} in queue${full.length === 1 ? "" : "s"} ${places} will be removed for good. Continue? [y/N] `;
}

/** Asks for a yes. No answer, as at Ctrl-C and Ctrl-D, is a no. */
export async function ask({ input, output }: Terminal, question: string): Promise<boolean> {
  const unanswered = new AbortController();
  const lines = createInterface({ input, output });
  const give = () => unanswered.abort();
  lines.once("SIGINT", give).once("close", give);
  try {
    return /^\s*y(es)?\s*$/i.test(await lines.question(question, { signal: unanswered.signal }));
  } catch (error) {
    if (!unanswered.signal.aborted) throw error;
    output.write("\n");
    return false;
  } finally {
    lines.close();
  }
}
