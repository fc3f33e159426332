import { join } from "node:path";
import { pino, type Logger } from "pino";
import type { Setting } from "../measuring/setting.js";

/** Where a worker's lines go. */
export type LogTarget = "nowhere" | "/dev/null" | "file";

export function openLog(target: LogTarget, setting: Setting): Logger {
  if (target === "nowhere") return pino({ level: "silent" });
  return pino(pino.destination({ dest: target === "file" ? logFile(setting) : target, append: false }));
}

export function logFile({ folder }: Setting): string {
  return join(folder, "worker.log");
}
