import { BullrushError, clip, failureReason, toFailure } from "@bullrush/broker";
import { printable } from "../printable.js";
import { redact } from "../redact.js";

const misuse: readonly string[] = [
  "WORKER_USAGE",
  "BEAT_USAGE",
  "COMMAND_USAGE",
  "APP_NOT_FOUND",
  "INVALID_OPTION",
  "INVALID_QUEUE_NAME",
  "INVALID_URL",
];

/**
 * Runs the command `name` and ends the process: with the exit code of `main`, with 1 if it fails,
 * with 2 for a usage error.
 */
export async function runCommand(name: string, main: () => Promise<number>): Promise<never> {
  // Opened now: Node cannot open them after their terminal is closed.
  const outputs = [process.stdout, process.stderr];
  process.exitCode = await exitCodeOf(name, main);
  await Promise.all(outputs.map(written));
  // A task module may have left handles open; ours are closed.
  process.exit();
}

/**
 * Resolves when everything that was written to `stream` is flushed, or nobody reads it any more.
 * Otherwise the exit would lose what a slow reader has not taken.
 */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    stream.once("error", () => resolve());
    stream.write("", () => resolve());
  });
}

async function exitCodeOf(name: string, main: () => Promise<number>): Promise<number> {
  try {
    return await main();
  } catch (error) {
    const [reason = ""] = failureReason(toFailure(error)).split("\n");
    process.stderr.write(`${name}: ${printable(redact(clip(reason, 10_000)))}\n`);
    return error instanceof BullrushError && misuse.includes(error.code) ? 2 : 1;
  }
}
