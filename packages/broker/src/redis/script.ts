import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Redis } from "ioredis";

/** A Lua script, run by its hash and sent whole only when Redis does not have it. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

/**
 * The script `lua/<path>.lua` of this package. A line `--- @include name` stands for `includes[name]`.
 * The folder stands beside both `src` and `dist`, so that no build step has to copy it.
 */
export function loadScript(path: string, includes: Readonly<Record<string, string>> = {}): Script {
  const text = readFileSync(new URL(`../../lua/${path}.lua`, import.meta.url), "utf8");
  const lua = text.replace(/^--- @include (\w+)$/gm, (_, name: string) => {
    const include = includes[name];
    if (include === undefined) throw new Error(`lua/${path}.lua includes "${name}", which does not exist`);
    return include;
  });
  return { lua, sha: createHash("sha1").update(lua).digest("hex") };
}

type Argument = string | number;

/** Runs `script`. Rejects with what ioredis rejects with: show it only through `reasonOf`. */
export async function runScript(client: Redis, script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
  try {
    return await client.evalsha(script.sha, keys.length, ...keys, ...args);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
    return client.eval(script.lua, keys.length, ...keys, ...args);
  }
}
