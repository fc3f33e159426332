import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { refusalOf } from "./refusal.js";
import { namingCommand } from "./rights.js";
import { scriptTexts } from "./script-texts.js";

/**
 * A Lua script, run by its hash and sent whole only if Redis does not have it. Its text is
 * assembled when it is first needed.
 */
export interface Script {
  /** `undefined` before the first `load`. */
  readonly loaded: LoadedScript | undefined;
  /** Rejects if the script includes a text that does not exist. */
  load(): Promise<LoadedScript>;
}

export interface LoadedScript extends ScriptText {
  /** The same script without BullMQ's events. */
  readonly quiet: ScriptText;
}

interface ScriptText {
  readonly lua: string;
  readonly sha: string;
}

/** Texts that scripts may include and that are in no file of this package, by name. */
export type Parts = Readonly<Record<string, string>>;

/**
 * The script `lua/<path>.lua` of this package. The first line `--- @include name` is replaced by
 * the file `lua/<name>.lua`, or by a text of `loadParts`, which is called only for a script that
 * includes such a text.
 */
export function scriptAt(path: string, loadParts: () => Promise<Parts> = async () => ({})): Script {
  let loaded: LoadedScript | undefined;
  return {
    get loaded() {
      return loaded;
    },
    load: async () => (loaded ??= compile(path, needsParts(path) ? await loadParts() : {})),
  };
}

function compile(path: string, parts: Parts): LoadedScript {
  const lua = textOf(path, parts, new Set());
  return { ...scriptText(lua), quiet: scriptText(`${withoutEvents}${lua}`) };
}

function scriptText(lua: string): ScriptText {
  return { lua, sha: createHash("sha1").update(lua).digest("hex") };
}

/**
 * Makes the script behind it, BullMQ's scripts included, write no events. A command that returns
 * the id of an event returns `0-0`, which no entry of a stream can have.
 */
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

/** From now on, scripts on `client` write none of BullMQ's events. */
export function silenceEvents(client: Redis): void {
  quietClients.add(client);
}

const includeLine = /^--- @include (\S+)$/gm;

/** Whether the script at `path`, or one that it includes, includes a text that is in no file. */
function needsParts(path: string, seen = new Set<string>()): boolean {
  const text = scriptTexts[path];
  if (text === undefined) return true;
  seen.add(path);
  return Array.from(text.matchAll(includeLine), ([, name = ""]) => name).some((name) => !seen.has(name) && needsParts(name, seen));
}

function textOf(path: string, parts: Parts, included: Set<string>): string {
  const text = scriptTexts[path];
  if (text === undefined) throw new Error(`there is no script lua/${path}.lua`);
  return text.replace(includeLine, (_, name: string) => {
    if (parts[name] === undefined && scriptTexts[name] === undefined) {
      throw new Error(`lua/${path}.lua includes "${name}", which does not exist`);
    }
    if (included.has(name)) return "";
    included.add(name);
    return parts[name] ?? textOf(name, parts, included);
  });
}

export type Argument = string | number;

/** Runs `script`. Rejects with the error of ioredis: show it only through `reasonOf`. */
export async function runScript(client: Redis, script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
  let loaded = script.loaded;
  if (loaded === undefined) {
    const loading = script.load();
    // A script without such texts is loaded by now: a call that waited for it would be overtaken by
    // the next one.
    loaded = script.loaded ?? (await loading);
  }
  const { lua, sha } = quietClients.has(client) ? loaded.quiet : loaded;
  try {
    return await client.evalsha(sha, keys.length, ...keys, ...args).catch((error: unknown) => {
      if (refusalOf(error).code !== "unknown-script") throw error;
      return client.eval(lua, keys.length, ...keys, ...args);
    });
  } catch (error) {
    if (error instanceof Error) error.message = namingCommand(error.message, lua);
    throw error;
  }
}
