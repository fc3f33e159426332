import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { threadId } from "node:worker_threads";
import type { Compiled } from "./compiled.js";
import { upwards } from "./files.js";

/**
 * The compiled modules, one file each, in the project's own `node_modules`. The directory for
 * temporary files would let other users plant code. Without write access nothing is cached.
 */
export class CompileCache {
  readonly #folders = new Map<string, string | undefined>();
  readonly #compiler = (createRequire(import.meta.url)("esbuild/package.json") as { readonly version: string }).version;

  /** The compiled code of `file`, if `source`, `settings` and the compiler are unchanged. */
  read(file: string, source: string, settings: unknown): Compiled | undefined {
    const place = this.#placeOf(file);
    if (place === undefined) return undefined;
    try {
      const { key, ...compiled } = JSON.parse(readFileSync(place, "utf8")) as Compiled & { readonly key: string };
      return key === this.#keyOf(source, settings) ? compiled : undefined;
    } catch {
      return undefined;
    }
  }

  write(file: string, source: string, settings: unknown, compiled: Compiled): void {
    const place = this.#placeOf(file);
    if (place === undefined) return;
    // Another thread of this process may compile it too.
    const half = `${place}.${process.pid}.${threadId}`;
    try {
      mkdirSync(dirname(place), { recursive: true });
      writeFileSync(half, JSON.stringify({ key: this.#keyOf(source, settings), ...compiled }));
      // A concurrent reader finds the old file or the new one.
      renameSync(half, place);
    } catch {
      // It is compiled again next time.
    }
  }

  #keyOf(source: string, settings: unknown): string {
    return hash(JSON.stringify([this.#compiler, settings]), source);
  }

  #placeOf(file: string): string | undefined {
    const directory = dirname(file);
    if (!this.#folders.has(directory)) {
      const modules = [...upwards(directory)].map((above) => join(above, "node_modules")).find((path) => existsSync(path));
      this.#folders.set(directory, modules && join(modules, ".cache", "bullrush"));
    }
    const folder = this.#folders.get(directory);
    return folder && join(folder, `${basename(file)}.${hash(file).slice(0, 16)}.json`);
  }
}

function hash(...texts: readonly string[]): string {
  const sum = createHash("sha256");
  for (const text of texts) sum.update(text).update("\0");
  return sum.digest("hex");
}
