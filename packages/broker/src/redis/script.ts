import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { refusalOf } from "./refusal.js";
import { namingCommand } from "./rights.js";
import { scriptTexts } from "./script-texts.js";

/** A Lua script, run by its hash and sent whole only when Redis does not have it. Its text is put together when it is first needed. */
export interface Script {
  /** `undefined` before the first `load`. */
  readonly loaded: LoadedScript | undefined;
  /** Rejects if the script includes what there is not. */
  load(): Promise<LoadedScript>;
}

export interface LoadedScript extends ScriptText {
  /** The same, but it writes none of BullMQ's events. */
  readonly quiet: ScriptText;
}

interface ScriptText {
  readonly lua: string;
  readonly sha: string;
}

/** Texts that scripts may include and that are in no file of this package, by their names. */
export type Parts = Readonly<Record<string, string>>;

/**
 * The script `lua/<path>.lua` of this package. A line `--- @include name` stands, where it comes first, for the file `lua/<name>.lua`, or else for a text of `loadParts`, which is called only by a script
 * that includes one.
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

const includeLine = /^--- @include (\S+)$/gm;

/** Whether the script at `path`, or what it includes, includes a text that is in no file. */
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

/** Runs `script`. Rejects with what ioredis rejects with: show it only through `reasonOf`. */
export async function runScript(client: Redis, script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
  let loaded = script.loaded;
  if (loaded === undefined) {
    const loading = script.load();
    // One that needs nothing else is there by now: a call that waited for it would be passed by the next one.
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
