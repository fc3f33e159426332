import { existsSync, readFileSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { BullrushError } from "@bullrush/broker";
import { isApp, type App } from "@bullrush/client";
import { findModule, ownConditions } from "./find-module.js";
import { loadModule } from "./load-module.js";
import { reasonOf } from "./reason.js";

/** An app, and a reference that finds it again from any directory. */
export interface FoundApp {
  readonly app: App;
  readonly reference: string;
}

/**
 * Finds the app of `reference`: a module, by path, file URL or package, with one of its exports
 * after a `:`. Default export name: `app`, else the default export. Default reference:
 * `BULLRUSH_APP`, else `bullrush.app` in package.json, else `bullrush.config.*` or `tasks.*` in
 * `directory`. Throws `APP_NOT_FOUND`, naming the apps that exist.
 */
export async function discoverApp(reference: string | undefined, directory: string, environment: NodeJS.ProcessEnv): Promise<FoundApp> {
  const named = reference ?? (environment["BULLRUSH_APP"] || namedByPackage(directory) || foundIn(directory));
  const [, module = named, exported] = /^(.+?):([\p{ID_Start}$_][\p{ID_Continue}$]*)$/u.exec(named) ?? [];
  const file = findFile(module, directory);
  const exports = await load(file, module, directory);
  return { app: pick(exports, exported, module), reference: exported === undefined ? file : `${file}:${exported}` };
}

function namedByPackage(directory: string): string | undefined {
  const app = appOf(join(directory, "package.json"));
  if (app === undefined || typeof app === "string") return app;
  throw notFound("package.json", `bullrush.app is ${JSON.stringify(app)}; expected the path of a module`);
}

function appOf(manifest: string): unknown {
  try {
    return (JSON.parse(readFileSync(manifest, "utf8")) as { readonly bullrush?: { readonly app?: unknown } }).bullrush?.app;
  } catch {
    // There is no package.json, or one that Node itself will report.
    return undefined;
  }
}

function foundIn(directory: string): string {
  const names = ["bullrush.config", "tasks"].flatMap((name) => ["ts", "mts", "js", "mjs"].map((extension) => `${name}.${extension}`));
  const found = names.find((name) => existsSync(join(directory, name)));
  if (found !== undefined) return found;
  throw notFound(
    directory,
    "name a module with -A, BULLRUSH_APP or bullrush.app in package.json, or write tasks.ts or bullrush.config.ts there",
  );
}

function findFile(module: string, directory: string): string {
  const found = findModule(module, directory, ownConditions());
  if ("file" in found) return realpathSync(found.file);
  throw notFound(`"${module}"`, found.reason);
}

async function load(file: string, module: string, directory: string): Promise<unknown> {
  let onDrained = () => {};
  const drained = new Promise<typeof never>((resolve) => {
    onDrained = () => resolve(never);
  });
  // The process ends here, whatever the module left running.
  process.once("beforeExit", onDrained);
  try {
    const exports = await Promise.race([loadModule(file), drained]);
    if (exports !== never) return exports;
  } catch (error) {
    throw notFound(`"${module}"`, `loading it failed: ${reasonOf(error, directory)}`, error);
  } finally {
    process.off("beforeExit", onDrained);
  }
  throw notFound(`"${module}"`, "it awaits something, at its top level, that never comes");
}

const never = Symbol("never");

function pick(exports: unknown, exported: string | undefined, module: string): App {
  const named = isRecord(exports) ? exports : {};
  const candidates = exported === undefined ? [named["app"], named["default"], exports] : [named[exported]];
  const app = candidates.find(isApp);
  if (app !== undefined) return app;
  const names = Object.keys(named).filter((name) => name !== "__esModule");
  const wanted = exported === undefined ? "an app (as `app` or by default)" : `an app as "${exported}"`;
  throw notFound(`"${module}"`, `it does not export ${wanted}; it exports ${names.length === 0 ? "nothing" : names.join(", ")}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function notFound(where: string, reason: string, cause?: unknown): BullrushError {
  return new BullrushError("APP_NOT_FOUND", { where, reason }, cause === undefined ? undefined : { cause });
}
