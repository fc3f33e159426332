import { isBuiltin } from "node:module";
import { dirname, isAbsolute, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { inDependency, isTypeScript, probe } from "./files.js";
import type { Tsconfigs } from "./tsconfigs.js";

/** Resolves what TypeScript resolves and Node does not. */
export class Resolver {
  readonly #tsconfigs: Tsconfigs;

  constructor(tsconfigs: Tsconfigs) {
    this.#tsconfigs = tsconfigs;
  }

  /**
   * The file that `specifier` means in `parent`, by TypeScript's rules; `undefined` if Node
   * resolves it.
   */
  find(specifier: string, parent: string): string | undefined {
    if (isBuiltin(specifier) || specifier.startsWith("#") || !this.#asksTypeScript(parent)) return undefined;
    if (specifier.startsWith("file:")) return probe(fileURLToPath(specifier));
    if (/^\.{1,2}(?:\/|$)/.test(specifier)) return probe(resolve(dirname(parent), specifier));
    if (isAbsolute(specifier)) return probe(specifier);
    if (/^[a-z]+:/.test(specifier)) return undefined;
    return firstOf(this.#tsconfigs.of(parent).placesOf(specifier));
  }

  /** The TypeScript file for a file of a package that Node did not find, with `error`. */
  fallback(error: unknown): string | undefined {
    if (!(error instanceof Error) || !notFound.includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    const [, place = ""] = /'([^']+)'/.exec(error.message) ?? [];
    return isAbsolute(place) ? probe(place) : undefined;
  }

  /** Whether TypeScript's rules apply: JavaScript files need `allowJs` in their tsconfig. */
  #asksTypeScript(parent: string): boolean {
    return isTypeScript(parent) || (!inDependency(parent) && this.#tsconfigs.of(parent).options.allowJs === true);
  }
}

const notFound = ["ERR_MODULE_NOT_FOUND", "MODULE_NOT_FOUND", "ERR_UNSUPPORTED_DIR_IMPORT"];

function firstOf(places: readonly string[]): string | undefined {
  for (const place of places) {
    const found = probe(place);
    if (found !== undefined) return found;
  }
  return undefined;
}
