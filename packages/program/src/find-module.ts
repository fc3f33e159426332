import { createRequire, isBuiltin } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { resolveExports } from "resolve-pkg-maps";
import { isFile, manifestIn, probe, upwards, type Manifest } from "./typescript/files.js";

/** The file of a module, or why there is none. */
export type Found = { readonly file: string } | { readonly reason: string };

const extensions = ["ts", "mts", "tsx", "js", "mjs", "cts", "cjs"];

/**
 * Finds the file of `module`: a path from `directory`, whose extension may be left out, a file URL,
 * or else an installed package or one of its exports. `conditions` are the export conditions that
 * the process was started with.
 */
export function findModule(module: string, directory: string, conditions: readonly string[]): Found {
  const path = module.startsWith("file:") ? fileURLToPath(module) : isAbsolute(module) ? module : resolve(directory, module);
  const candidates = [
    path,
    ...extensions.map((extension) => `${path}.${extension}`),
    ...extensions.map((extension) => join(path, `index.${extension}`)),
  ];
  const found = candidates.find(isFile);
  if (found !== undefined) return { file: found };
  const [, name, below = ""] = /^((?:@[^/@:]+\/)?[^./@:][^/:]*)(\/.+)?$/.exec(module) ?? [];
  if (name === undefined || isBuiltin(name)) return { reason: `there is no such file in ${directory}` };
  const home = homeOf(name, directory);
  if (home !== undefined) return inPackage(name, home, below, conditions);
  try {
    // Node's own loader also knows packages in other places.
    return { file: createRequire(join(directory, "-")).resolve(module) };
  } catch {
    return { reason: `there is no such file${/\.[cm]?[jt]sx?$/.test(module) ? "" : ", and no such package,"} in ${directory}` };
  }
}

interface Home {
  readonly directory: string;
  readonly manifest: Manifest;
}

/**
 * The package `name` as modules in `directory` see it: installed, or the package that contains
 * them.
 */
function homeOf(name: string, directory: string): Home | undefined {
  for (const above of upwards(directory)) {
    const installed = join(above, "node_modules", name);
    const manifest = manifestIn(installed);
    if (manifest !== undefined) return { directory: installed, manifest };
    const own = manifestIn(above);
    if (own?.name === name) return { directory: above, manifest: own };
  }
  return undefined;
}

function inPackage(name: string, { directory, manifest }: Home, below: string, conditions: readonly string[]): Found {
  const { exports, main } = manifest;
  if (exports === undefined || exports === null) {
    const file = probe(join(directory, below));
    if (file !== undefined) return { file };
    if (below !== "") return { reason: `the package ${name} has no module .${below}` };
    if (typeof main !== "string") return { reason: `the package ${name} has no main file` };
    return { reason: `the package ${name}: ${main}, its main file by its package.json, is not there; is it built?` };
  }
  const [target] = targetsOf(exports, below, conditions);
  if (target === undefined)
    return { reason: `the package ${name} does not export ${below === "" ? "a module by its name alone" : `.${below}`}` };
  const file = join(directory, target);
  return isFile(file) ? { file } : { reason: `the package ${name}: ${target}, which its package.json exports, is not there; is it built?` };
}

function targetsOf(exports: unknown, below: string, conditions: readonly string[]): readonly string[] {
  try {
    return resolveExports(exports as Parameters<typeof resolveExports>[0], below.slice(1), [
      "node",
      "import",
      "module-sync",
      ...conditions,
    ]);
  } catch {
    return [];
  }
}

/** The export conditions that this process was started with: `-C name`, `--conditions=name`. */
export function ownConditions(): readonly string[] {
  const flags = [...(process.env["NODE_OPTIONS"] ?? "").split(/\s+/), ...process.execArgv];
  return flags.flatMap((flag, index) => {
    const [, named, alone] = /^(?:(?:--conditions|-C)=(.+)|(--conditions|-C))$/.exec(flag) ?? [];
    return named ?? (alone && flags[index + 1]) ?? [];
  });
}
