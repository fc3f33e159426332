import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * The file `dist/<path>` of this package, for code in `dist`, or in a folder of `src` or `dist`, whose `import.meta.url` is `base`: from the sources, as in a
 * test, the built file serves. `undefined` in a bundle, where no such file is near, or nothing says where the code is. A bundler sees no file name here, which it
 * would copy as it stands.
 */
export function ownFile(path: string, base: string | undefined): string | undefined {
  if (base?.startsWith("file:") !== true) return undefined;
  const files = ["..", "../.."].map((up) => fileURLToPath(new URL(`${up}/dist/${path}`, base)));
  return files.find((file) => existsSync(file));
}
