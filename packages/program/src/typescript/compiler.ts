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

/** Makes JavaScript of TypeScript, file by file, without looking at types. Nothing stays running: the compiler's process ends with `rest`. */
export class Compiler {
  readonly #tsconfigs: Tsconfigs;
  readonly #cache = new CompileCache();
  #esbuild: typeof Esbuild | undefined;

  constructor(tsconfigs: Tsconfigs) {
    this.#tsconfigs = tsconfigs;
  }

  /** As the file says that it is, or as CommonJS whatever it says. Throws a `SyntaxError` whose second line is the place, and what reading throws. */
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

  /** Ends what was started for compiling; it starts again with the next file. */
  async rest(): Promise<void> {
    await this.#esbuild?.stop();
  }

  #compile(file: string, source: string, kind: Kind, options: Esbuild.TransformOptions): Compiled {
    if (kind !== "module") {
      try {
        const code = this.#transform(file, source, { ...options, format: "cjs", define: metaOf(file) });
        return { format: "commonjs", code, translated: !file.endsWith(".cts") && code.includes("__toCommonJS") };
      } catch (error) {
        // One that waits at its top level can only be a module of ES.
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
      // Without a cause: esbuild's error says the same once more, and a failure on one line would tell both.
      throw new SyntaxError(location === null ? text : `${text}\n${file}:${location.line}:${location.column + 1}`);
    }
  }
}

/** What a file says that it is, by its name or its package; "either" if it says nothing. */
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

/** What a module of ES may ask about itself, for one that becomes CommonJS. */
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

/** The options that have a say in what the JavaScript does. */
function pick(options: CompilerOptions): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([name]) => known.includes(name)));
}
