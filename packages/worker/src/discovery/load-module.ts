import { createRequire } from "node:module";
import { extname } from "node:path";
import { pathToFileURL } from "node:url";
import { createJiti } from "jiti";

const jiti = createJiti(import.meta.url, { interopDefault: false, moduleCache: true });

/** What `file` exports. TypeScript is loaded without a build, also on a Node that cannot strip types. */
export async function loadModule(file: string): Promise<Readonly<Record<string, unknown>>> {
  switch (extname(file)) {
    case ".ts":
    case ".mts":
    case ".cts":
    case ".tsx":
      return await jiti.import<Record<string, unknown>>(file);
    case ".cjs":
      return createRequire(import.meta.url)(file) as Record<string, unknown>;
    default:
      return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  }
}
