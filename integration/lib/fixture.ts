import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { transformSync } from "rolldown/utils";

const folder = fileURLToPath(new URL("../node_modules/.fixtures", import.meta.url));

/**
 * The path of the TypeScript module `path`, relative to the test file whose URL is `base`, as JavaScript: a worker that compiles it itself, and
 * each of its runners, spends a third of its start on that. The module imports packages only.
 */
export function compiledFixture(path: string, base: string): string {
  const source = fileURLToPath(new URL(path, base));
  const { code, errors } = transformSync(source, readFileSync(source, "utf8"));
  if (errors.length > 0) throw new Error(`${source}: ${errors.map(({ message }) => message).join("; ")}`);
  const target = join(folder, basename(dirname(base)), `${basename(source, ".ts")}.mjs`);
  const half = `${target}.${process.pid}`;
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(half, code);
  // Whoever loads it meanwhile finds all of it.
  renameSync(half, target);
  return target;
}
