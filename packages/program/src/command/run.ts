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

/** Runs the command `name`, and ends the process: with what `main` gives, with 1 if it fails, with 2 if it is misused. */
export async function runCommand(name: string, main: () => Promise<number>): Promise<never> {
  // Opened now: Node cannot once their terminal is closed.
  const outputs = [process.stdout, process.stderr];
  process.exitCode = await exitCodeOf(name, main);
  await Promise.all(outputs.map(written));
  // A task module may have left something open; all that is ours is closed.
  process.exit();
}

/** Resolves when all that was written to `stream` is on its way, or nobody reads it any more: what a slow reader has not taken would be lost at the exit. */
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
