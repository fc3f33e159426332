import type { LoadFnOutput, LoadHookContext, ResolveHookContext } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Compiler } from "./compiler.js";
import { facade } from "./facade.js";
import { inDependency, isTypeScript } from "./files.js";
import type { Resolver } from "./resolver.js";

/** What `import` is told before, and after, Node's own steps. The steps themselves may take their time in one thread, and may not in another. */
export class ImportHooks {
  readonly #compiler: Compiler;
  readonly #resolver: Resolver;
  /** Whether TypeScript is ours to load; unknown until the first file. */
  #ours: boolean | undefined;

  constructor(compiler: Compiler, resolver: Resolver) {
    this.#compiler = compiler;
    this.#resolver = resolver;
  }

  /** The URL of what TypeScript means by `specifier`; `undefined` if Node is to look for it. */
  find(specifier: string, { parentURL, conditions }: ResolveHookContext): string | undefined {
    // What is required is found by the hooks of `require`.
    if (this.#ours !== true || !parentURL?.startsWith("file:") || (conditions.includes("require") && !conditions.includes("import")))
      return undefined;
    const [, bare = specifier, query = ""] = /^(.+?)([?#].*)?$/s.exec(specifier) ?? [];
    const found = this.#resolver.find(bare.startsWith("#") ? specifier : bare, fileURLToPath(parentURL));
    return found && pathToFileURL(found).href + query;
  }

  /** The URL to take where Node found nothing. */
  mend(error: unknown): string | undefined {
    const found = this.#ours === true ? this.#resolver.mend(error) : undefined;
    return found && pathToFileURL(found).href;
  }

  /** The file of TypeScript at `url`, if that is ours to load, or may be. */
  fileAt(url: string): string | undefined {
    if (this.#ours === false || !url.startsWith("file:")) return undefined;
    const file = fileURLToPath(url);
    return isTypeScript(file) ? file : undefined;
  }

  /** Whether Node is to be asked first, because somebody else's loader, which wins, may know TypeScript. */
  get undecided(): boolean {
    return this.#ours === undefined;
  }

  /** What Node is asked with: told what the file is, it does not parse it to find out, and warns of none that says nothing. */
  questionOf(context: LoadHookContext): LoadHookContext {
    return { ...context, format: context.format ?? ("module-typescript" as "module") };
  }

  /** Decides by what Node answered, `undefined` for an error: what it leaves in TypeScript is ours. */
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
