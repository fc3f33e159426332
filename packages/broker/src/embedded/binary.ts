import { accessSync, constants, statSync } from "node:fs";
import { delimiter, resolve } from "node:path";

/** The servers that are looked for, the preferred one first. */
export const binaryNames = ["valkey-server", "redis-server"] as const;

/** The server binaries in the directories of `path`, a list such as that of the environment variable PATH: at most one of each name. */
export function findBinaries(path: string): readonly string[] {
  const directories = path.split(delimiter).filter((directory) => directory !== "");
  const extension = process.platform === "win32" ? ".exe" : "";
  return binaryNames.flatMap((name) => directories.map((directory) => resolve(directory, name + extension)).find(isExecutable) ?? []);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
