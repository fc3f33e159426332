import { readFileSync, statSync, type Stats } from "node:fs";
import { dirname, join, sep } from "node:path";

/** Whether the name of `file` is that of TypeScript. */
export function isTypeScript(file: string): boolean {
  return /\.(?:[cm]?ts|tsx)$/.test(file);
}

/**
 * Whether `file` belongs to an installed package. Packages of a workspace are links, and are not
 * installed.
 */
export function inDependency(file: string): boolean {
  return file.includes(`${sep}node_modules${sep}`);
}

/** TypeScript's extensions for those of JavaScript. */
const written: Readonly<Record<string, readonly string[]>> = {
  ".js": [".ts", ".tsx"],
  ".jsx": [".tsx", ".ts"],
  ".mjs": [".mts"],
  ".cjs": [".cts"],
};

const extensions = [".ts", ".tsx", ".js", ".jsx", ".mts", ".cts", ".mjs", ".cjs", ".json"];

/**
 * The file that TypeScript resolves `path` to: its extension may be left out or be that of
 * JavaScript, and a folder stands for its main file.
 */
export function probe(path: string): string | undefined {
  const [, stem = path, extension = ""] = /^(.*)(\.[cm]?jsx?)$/s.exec(path) ?? [];
  const named = [...(written[extension] ?? []).map((other) => stem + other), path, ...extensions.map((other) => path + other)];
  const found = named.find(isFile);
  if (found !== undefined) return found;
  if (!statOf(path)?.isDirectory()) return undefined;
  const main = manifestIn(path)?.main;
  const byMain = typeof main === "string" && join(path, main) !== path ? probe(join(path, main)) : undefined;
  return byMain ?? extensions.map((other) => join(path, `index${other}`)).find(isFile);
}

export function isFile(path: string): boolean {
  return statOf(path)?.isFile() === true;
}

/**
 * What is at `path`; `undefined` if it cannot be read: a link to itself, a name that is too long, a
 * folder without access.
 */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** The fields of a package.json that are used. */
export interface Manifest {
  readonly name?: unknown;
  readonly type?: unknown;
  readonly main?: unknown;
  readonly exports?: unknown;
}

/** The package.json in `directory`, if it can be read. */
export function manifestIn(directory: string): Manifest | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    // There is none, or one that Node itself will report.
    return undefined;
  }
}

/** `directory` and its parents, the nearest first. */
export function* upwards(directory: string): Generator<string> {
  for (let current = directory; ; current = dirname(current)) {
    yield current;
    if (current === dirname(current)) return;
  }
}
