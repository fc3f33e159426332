import type { LoadFnOutput, LoadHook, ResolveHook } from "node:module";
import { Compiler } from "./compiler.js";
import { ImportHooks } from "./import-hooks.js";
import { Resolver } from "./resolver.js";
import { Tsconfigs } from "./tsconfigs.js";

// For Node versions whose hooks run in a thread of their own.
const tsconfigs = new Tsconfigs();
const hooks = new ImportHooks(new Compiler(tsconfigs), new Resolver(tsconfigs));

export const resolve: ResolveHook = async (specifier, context, next) => {
  const found = hooks.find(specifier, context);
  if (found !== undefined) return next(found, context);
  try {
    return await next(specifier, context);
  } catch (error) {
    const mended = hooks.mend(error);
    if (mended === undefined) throw error;
    return next(mended, context);
  }
};

export const load: LoadHook = async (url, context, next) => {
  const file = hooks.fileAt(url);
  if (file === undefined) return next(url, hooks.contextOf(url, context));
  if (hooks.undecided) {
    hooks.decide(await attempt(() => next(url, hooks.questionOf(context))));
    if (hooks.fileAt(url) === undefined) return next(url, context);
  }
  return hooks.load(file);
};

async function attempt(load: () => LoadFnOutput | Promise<LoadFnOutput>): Promise<LoadFnOutput | undefined> {
  try {
    return await load();
  } catch {
    return undefined;
  }
}
