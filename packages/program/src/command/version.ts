import { readFileSync } from "node:fs";

/**
 * The version of the package of a module in `src/bin` or `dist/bin` whose `import.meta.url` is
 * `url`.
 */
export function packageVersion(url: string): string {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", url), "utf8")) as { readonly version: string };
  return manifest.version;
}
