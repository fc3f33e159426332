import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import type * as Esbuild from "esbuild";
import { CompileCache } from "./compile-cache.js";
import type { Compiled } from "./compiled.js";
import { manifestIn, upwards } from "./files.js";
import type { CompilerOptions, Tsconfigs } from "./tsconfigs.js";

const require = createRequire(import.meta.url);

/**
 * Compiles TypeScript to JavaScript, file by file, without checking types. The compiler's process
 * ends with `rest()`.
 */
export class Compiler {
  readonly #tsconfigs: Tsconfigs;
  readonly #cache = new CompileCache();
  #esbuild: typeof Esbuild | undefined;

  constructor(tsconfigs: Tsconfigs) {
    this.#tsconfigs = tsconfigs;
  }

  /**
   * Compiles a file in its own format, or to CommonJS. Throws a `SyntaxError` whose second line is
   * the place, and the errors of reading.
   */
  compile(file: string, as?: "commonjs"): Compiled {
    const source = readFileSync(file, "utf8");
    const kind = as ?? kindOf(file);
    const options = { ...common(file), tsconfigRaw: { compilerOptions: pick(this.#tsconfigs.of(file).options) } };
    const kept = this.#cache.read(file, source, { options, kind });
    if (kept !== undefined) return kept;
    const compiled = this.#compile(file, source, kind, options);
    this.#cache.write(file, source, { options, kind }, compiled);
    return compiled;
  }

  /** Ends the compiler's process; the next file starts it again. */
  async rest(): Promise<void> {
    await this.#esbuild?.stop();
  }

  #compile(file: string, source: string, kind: Kind, options: Esbuild.TransformOptions): Compiled {
    if (kind !== "module") {
      try {
        const code = this.#transform(file, source, { ...options, format: "cjs", define: metaOf(file) });
        return { format: "commonjs", code, translated: !file.endsWith(".cts") && code.includes("__toCommonJS") };
      } catch (error) {
        // A file with a top-level `await` must be an ES module.
        if (kind === "commonjs" || !(error instanceof SyntaxError) || !/top-level await/i.test(error.message)) throw error;
      }
    }
    return { format: "module", code: this.#transform(file, source, { ...options, format: "esm" }), translated: false };
  }

  #transform(file: string, source: string, options: Esbuild.TransformOptions): string {
    this.#esbuild ??= require("esbuild") as typeof Esbuild;
    try {
      return this.#esbuild.transformSync(source, options).code;
    } catch (error) {
      const [first] = (error as Partial<Esbuild.TransformFailure>).errors ?? [];
      if (first === undefined) throw error;
      const { text, location } = first;
      // Without a cause: the compiler's own error repeats the same text.
      throw new SyntaxError(location === null ? text : `${text}\n${file}:${location.line}:${location.column + 1}`);
    }
  }
}

/** The format that a file has by its name or its package; "either" if neither says. */
type Kind = "module" | "commonjs" | "either";

function kindOf(file: string): Kind {
  if (file.endsWith(".mts")) return "module";
  if (file.endsWith(".cts")) return "commonjs";
  for (const directory of upwards(dirname(file))) {
    if (directory.endsWith("node_modules")) break;
    const manifest = manifestIn(directory);
    if (manifest !== undefined) return manifest.type === "module" || manifest.type === "commonjs" ? manifest.type : "either";
  }
  return "either";
}

function common(file: string): Esbuild.TransformOptions {
  return {
    loader: file.endsWith("x") ? "tsx" : "ts",
    platform: "node",
    target: `node${process.versions.node}`,
    sourcemap: "inline",
    sourcesContent: false,
    sourcefile: pathToFileURL(file).href,
    keepNames: true,
  };
}

/** Replaces `import.meta` in an ES module that becomes CommonJS. */
function metaOf(file: string): Record<string, string> {
  return {
    "import.meta.url": JSON.stringify(pathToFileURL(file).href),
    "import.meta.filename": JSON.stringify(file),
    "import.meta.dirname": JSON.stringify(dirname(file)),
  };
}

const known = [
  ...["alwaysStrict", "experimentalDecorators", "jsx", "jsxFactory", "jsxFragmentFactory", "jsxImportSource", "strict", "target"],
  ...["useDefineForClassFields", "verbatimModuleSyntax", "importsNotUsedAsValues", "preserveValueImports"],
];

/** The compiler options that change the JavaScript. */
function pick(options: CompilerOptions): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => known.includes(name)));
}
