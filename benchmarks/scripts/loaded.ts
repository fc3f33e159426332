/** The scripts of one checkout, or one empty script in the place of each. */
export interface MeasuredScripts {
  readonly name: string;
  readonly publish: string;
  readonly settleAndTake: string;
}

/** The name of each script in `lua/bullmq/`, and the names that it had before. */
const names = { publish: ["publish"], settleAndTake: ["settle-and-take", "exchange"] };

export const emptyScript: MeasuredScripts = { name: "an empty script", publish: "return 0", settleAndTake: "return 0" };

interface ScriptModule {
  engineScript(name: string): { load(): Promise<{ readonly lua: string }> };
}

/** Those of a built checkout, whose folder is `root`. */
export async function scriptsOf(name: string, root: URL): Promise<MeasuredScripts> {
  const module = (await import(new URL("packages/broker/dist/bullmq/engine.js", root).href)) as ScriptModule;
  return { name, publish: await textOf(module, names.publish), settleAndTake: await textOf(module, names.settleAndTake) };
}

async function textOf(module: ScriptModule, known: readonly string[]): Promise<string> {
  let failure: unknown;
  for (const name of known) {
    try {
      return (await module.engineScript(name).load()).lua;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
