import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { isTypeScript } from "./typescript/files.js";

/**
 * Loads the exports of `file`; of a CommonJS module, its `module.exports`. TypeScript loads without
 * a build, by its nearest tsconfig.json, as do its imports, later ones too. A loader that the
 * process was started with comes first, if it knows TypeScript.
 */
export async function loadModule(file: string): Promise<unknown> {
  if (!isTypeScript(file)) return await importModule(file);
  const { registerTypeScript } = await import("./typescript/register.js");
  const compiler = registerTypeScript();
  try {
    return await importModule(file);
  } finally {
    await compiler.rest();
  }
}

async function importModule(file: string): Promise<unknown> {
  const namespace: unknown = await import(pathToFileURL(file).href);
  const require = createRequire(file);
  return require.cache[require.resolve(file)]?.exports ?? namespace;
}
