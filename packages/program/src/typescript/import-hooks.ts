import type { LoadFnOutput, LoadHookContext, ResolveHookContext } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Compiler } from "./compiler.js";
import { facade } from "./facade.js";
import { inDependency, isTypeScript } from "./files.js";
import type { Resolver } from "./resolver.js";

/**
 * The decisions of the `import` hooks before and after Node's own steps. Those steps are
 * asynchronous in one kind of thread and synchronous in the other.
 */
export class ImportHooks {
  readonly #compiler: Compiler;
  readonly #resolver: Resolver;
  /** Whether these hooks load TypeScript; unknown until the first file. */
  #ours: boolean | undefined;

  constructor(compiler: Compiler, resolver: Resolver) {
    this.#compiler = compiler;
    this.#resolver = resolver;
  }

  /** The URL that TypeScript resolves `specifier` to; `undefined` if Node resolves it. */
  find(specifier: string, { parentURL, conditions }: ResolveHookContext): string | undefined {
    // The hooks of `require` resolve what is required.
    if (this.#ours !== true || !parentURL?.startsWith("file:") || (conditions.includes("require") && !conditions.includes("import")))
      return undefined;
    const [, bare = specifier, query = ""] = /^(.+?)([?#].*)?$/s.exec(specifier) ?? [];
    const found = this.#resolver.find(bare.startsWith("#") ? specifier : bare, fileURLToPath(parentURL));
    return found && pathToFileURL(found).href + query;
  }

  /** The URL to use where Node found nothing. */
  mend(error: unknown): string | undefined {
    const found = this.#ours === true ? this.#resolver.fallback(error) : undefined;
    return found && pathToFileURL(found).href;
  }

  /** The TypeScript file at `url`, if these hooks load it, or may. */
  fileAt(url: string): string | undefined {
    if (this.#ours === false || !url.startsWith("file:")) return undefined;
    const file = fileURLToPath(url);
    return isTypeScript(file) ? file : undefined;
  }

  /** Whether Node loads first, because another loader, which wins, may know TypeScript. */
  get undecided(): boolean {
    return this.#ours === undefined;
  }

  /**
   * The context for Node's load: with a format, Node neither parses the file to find it nor warns
   * of a package without a `type`.
   */
  questionOf(context: LoadHookContext): LoadHookContext {
    return { ...context, format: context.format ?? ("module-typescript" as "module") };
  }

  /**
   * Decides by Node's answer, `undefined` for an error: if the source is still TypeScript, these
   * hooks load it.
   */
  decide(answer: LoadFnOutput | undefined): void {
    this.#ours = answer === undefined || (answer.format ?? "-typescript").endsWith("-typescript");
  }

  load(file: string): LoadFnOutput {
    const compiled = this.#compiler.compile(file);
    const source = compiled.format === "module" ? compiled.code : facade(file, compiled, this.#compiler, this.#resolver);
    return { format: "module", source, shortCircuit: true };
  }

  /** TypeScript imports JSON without an attribute. */
  contextOf(url: string, context: LoadHookContext): LoadHookContext {
    if (this.#ours !== true || !/^file:.*\.json$/.test(url) || inDependency(url)) return context;
    return { ...context, importAttributes: { ...context.importAttributes, type: "json" } };
  }
}
