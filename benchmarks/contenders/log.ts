import { join } from "node:path";
import type { Logger } from "pino";
import type { Setting } from "../measuring/setting.js";

/** Where a worker's lines go. */
export type LogTarget = "nowhere" | "/dev/null" | "file";

/** Writes as `task-worker` does: each line synchronously. */
export async function openLog(target: LogTarget, setting: Setting): Promise<Logger> {
  const { pino } = await import("pino");
  if (target === "nowhere") return pino({ level: "silent" });
  return pino(pino.destination({ dest: target === "file" ? logFile(setting) : target, append: false, sync: true }));
}

export function logFile({ folder }: Setting): string {
  return join(folder, "worker.log");
}
