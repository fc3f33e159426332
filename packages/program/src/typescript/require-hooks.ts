// These are Node's own names.
/* oxlint-disable no-underscore-dangle */
import Module from "node:module";
import type { Compiler } from "./compiler.js";
import type { Resolver } from "./resolver.js";

/** The parts of Node's CommonJS loader that are extended, as other languages' loaders do. */
interface CommonJsLoader {
  readonly _extensions: Record<string, ((module: Loading, file: string) => void) | undefined>;
  _resolveFilename: (
    request: string,
    parent: Parent | undefined,
    isMain?: boolean,
    options?: { readonly paths?: readonly string[] },
  ) => string;
}

interface Loading {
  /**
   * Runs `code`; with the format "module" as the ES module that `import()` of this file also
   * returns.
   */
  _compile(code: string, file: string, format: "module" | "commonjs"): void;
}

interface Parent {
  readonly filename?: string | null;
}

const loader = Module as unknown as CommonJsLoader;

/**
 * Makes `require` load TypeScript in this thread, unless another loader does. `modules`: whether
 * the `import` hooks apply to required ES modules; if not, these load as CommonJS.
 */
export function hookRequire(compiler: Compiler, resolver: Resolver, modules: boolean): void {
  const { _extensions: extensions, _resolveFilename: resolve } = loader;
  if (![undefined, "loadTS"].includes(extensions[".ts"]?.name)) return;
  for (const extension of [".ts", ".tsx", ".mts", ".cts"]) {
    extensions[extension] = (module, file) => {
      const { code, format } = compiler.compile(file, modules ? undefined : "commonjs");
      module._compile(code, file, format);
    };
  }
  loader._resolveFilename = (request, parent, isMain, options) => {
    const found = options?.paths === undefined && parent?.filename ? resolver.find(request, parent.filename) : undefined;
    if (found !== undefined) return resolve(found, parent, isMain, options);
    try {
      return resolve(request, parent, isMain, options);
    } catch (error) {
      const mended = resolver.fallback(error);
      if (mended === undefined) throw error;
      return mended;
    }
  };
}
