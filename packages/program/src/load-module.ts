import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** What `file` exports; of a CommonJS module, its `module.exports`. TypeScript is loaded without a build, also on a Node that cannot strip types. */
export async function loadModule(file: string): Promise<unknown> {
  if (/\.[cm]?tsx?$/.test(file)) return await loadTypeScript(file);
  const namespace: unknown = await import(pathToFileURL(file).href);
  const require = createRequire(file);
  return require.cache[require.resolve(file)]?.exports ?? namespace;
}

async function loadTypeScript(file: string): Promise<unknown> {
  const { createJiti } = await import("jiti");
  requireNatively("@bullrush/client", file);
  return await createJiti(pathToFileURL(file).href, { interopDefault: false, moduleCache: true, fsCache: cacheFor(file) }).import(file);
}

/** Without this, a `require` of an ES module in TypeScript compiles a copy of it; one that Node has loaded is taken as it is. */
function requireNatively(name: string, file: string): void {
  try {
    createRequire(file)(name);
  } catch {
    // The module does not use it, or will say itself why it cannot be loaded.
  }
}

/** Where compiled modules are kept: in the project's own `node_modules`. Not in the directory for temporary files, where other users could lay code for us to run. */
function cacheFor(file: string): string | false {
  const directory = dirname(file);
  const modules = join(directory, "node_modules");
  if (existsSync(modules)) return join(modules, ".cache", "jiti");
  return directory === dirname(directory) ? false : cacheFor(directory);
}
