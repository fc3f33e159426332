import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { isTypeScript } from "./typescript/files.js";

/**
 * What `file` exports; of a CommonJS module, its `module.exports`. TypeScript is loaded without a build, as its nearest tsconfig.json says, and so is what it imports, later too; by the loader that the
 * process was started with, if that knows TypeScript.
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
