import { readFileSync } from "node:fs";

/** The version of an installed npm package. */
export function versionOf(name: string): string {
  const manifest = readFileSync(new URL(`../../node_modules/${name}/package.json`, import.meta.url), "utf8");
  return (JSON.parse(manifest) as { readonly version: string }).version;
}
