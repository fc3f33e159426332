import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import type { Redis } from "ioredis";
import { namingCommand } from "./rights.js";

/** A Lua script, run by its hash and sent whole only when Redis does not have it. */
export interface Script extends ScriptText {
  /** The same, but it writes none of BullMQ's events. */
  readonly quiet: ScriptText;
}

interface ScriptText {
  readonly lua: string;
  readonly sha: string;
}

/**
 * The script `lua/<path>.lua` of this package. A line `--- @include name` stands for `includes[name]`, else for the file `lua/<name>.lua`, where it comes first.
 * The folder stands beside both `src` and `dist`, so that no build step has to copy it.
 */
export function loadScript(path: string, includes: Readonly<Record<string, string>> = {}): Script {
  const lua = textOf(path, includes, new Set());
  return { ...scriptText(lua), quiet: scriptText(`${withoutEvents}${lua}`) };
}

function scriptText(lua: string): ScriptText {
  return { lua, sha: createHash("sha1").update(lua).digest("hex") };
}

/** Has what follows, BullMQ's own scripts included, leave out the events. What reads the id of one gets `0-0`, which no entry of a stream can have. */
const withoutEvents = `local redis = (function(redis)
  local function quiet(call)
    return function(command, ...)
      if (command == "XADD" or command == "XTRIM") and string.sub(..., -7) == ":events" then return command == "XADD" and "0-0" or 0 end
      return call(command, ...)
    end
  end
  return setmetatable({ call = quiet(redis.call), pcall = quiet(redis.pcall) }, { __index = redis })
end)(redis)
`;

const quietClients = new WeakSet<Redis>();

/** From now on, scripts that `client` runs write none of BullMQ's events. */
export function silenceEvents(client: Redis): void {
  quietClients.add(client);
}

function textOf(path: string, includes: Readonly<Record<string, string>>, included: Set<string>): string {
  const text = readFileSync(fileOf(path), "utf8");
  return text.replace(/^--- @include (\S+)$/gm, (_, name: string) => {
    if (includes[name] === undefined && !existsSync(fileOf(name))) {
      throw new Error(`lua/${path}.lua includes "${name}", which does not exist`);
    }
    if (included.has(name)) return "";
    included.add(name);
    return includes[name] ?? textOf(name, includes, included);
  });
}

function fileOf(path: string): URL {
  return new URL(`../../lua/${path}.lua`, import.meta.url);
}

export type Argument = string | number;

/** Runs `script`. Rejects with what ioredis rejects with: show it only through `reasonOf`. */
export async function runScript(client: Redis, script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
  const { lua, sha } = quietClients.has(client) ? script.quiet : script;
  try {
    return await client.evalsha(sha, keys.length, ...keys, ...args).catch((error: unknown) => {
      if (!(error instanceof Error) || !error.message.startsWith("NOSCRIPT")) throw error;
      return client.eval(lua, keys.length, ...keys, ...args);
    });
  } catch (error) {
    if (error instanceof Error) error.message = namingCommand(error.message, lua);
    throw error;
  }
}
