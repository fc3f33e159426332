import Module from "node:module";
import type { LoadFnOutput, LoadHookContext, ResolveFnOutput, ResolveHookContext } from "node:module";
import { Compiler } from "./compiler.js";
import { ImportHooks } from "./import-hooks.js";
import { hookRequire } from "./require-hooks.js";
import { Resolver } from "./resolver.js";
import { Tsconfigs } from "./tsconfigs.js";

/** Synchronous hooks in the importing thread, which Node has since 22.15. */
interface SyncHooks {
  resolve(
    specifier: string,
    context: ResolveHookContext,
    next: (specifier: string, context: ResolveHookContext) => ResolveFnOutput,
  ): ResolveFnOutput;
  load(url: string, context: LoadHookContext, next: (url: string, context: LoadHookContext) => LoadFnOutput): LoadFnOutput;
}

const { registerHooks } = Module as typeof Module & { readonly registerHooks?: (hooks: SyncHooks) => void };

let compiler: Compiler | undefined;

/**
 * Makes this thread load TypeScript, by `import` and `require`, for as long as it lives. Another
 * loader that knows TypeScript comes first. The returned function ends the compiler's process
 * between two loads.
 */
export function registerTypeScript(): Pick<Compiler, "rest"> {
  compiler ??= register();
  return compiler;
}

function register(): Compiler {
  const tsconfigs = new Tsconfigs();
  const made = new Compiler(tsconfigs);
  const resolver = new Resolver(tsconfigs);
  if (registerHooks === undefined) Module.register(new URL("../typescript/hooks-thread.js", import.meta.url));
  else registerHooks(syncHooks(new ImportHooks(made, resolver)));
  hookRequire(made, resolver, registerHooks !== undefined);
  process.setSourceMapsEnabled(true);
  return made;
}

function syncHooks(hooks: ImportHooks): SyncHooks {
  return {
    resolve(specifier, context, next) {
      const found = hooks.find(specifier, context);
      if (found !== undefined) return next(found, context);
      try {
        return next(specifier, context);
      } catch (error) {
        const mended = hooks.mend(error);
        if (mended === undefined) throw error;
        return next(mended, context);
      }
    },
    load(url, context, next) {
      const file = hooks.fileAt(url);
      if (file === undefined) return next(url, hooks.contextOf(url, context));
      if (hooks.undecided) {
        hooks.decide(attempt(() => next(url, hooks.questionOf(context))));
        if (hooks.fileAt(url) === undefined) return next(url, context);
      }
      return hooks.load(file);
    },
  };
}

function attempt(load: () => LoadFnOutput): LoadFnOutput | undefined {
  try {
    return load();
  } catch {
    return undefined;
  }
}
