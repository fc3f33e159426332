import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import { refusalOf } from "./refusal.js";
import { namingCommand } from "./rights.js";
import { scriptTexts } from "./script-texts.js";

/** A Lua script, run by its hash and sent whole only when Redis does not have it. Its text is put together when it is first needed. */
export interface Script {
  /** `undefined` before the first `load`. */
  readonly loaded: LoadedScript | undefined;
  /** Rejects if the script requires what there is not. */
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

/** Modules that scripts may require and that are in no file of this package: their texts by their names. */
export type Parts = Readonly<Record<string, string>>;

/**
 * The script `lua/<path>.lua` of this package. `require("name")` in it runs, the first time that a call comes to it, the file `lua/<name>.lua`, or else a text of `loadParts`, and returns what that
 * returns. `loadParts` is called only for a script that requires, directly or not, what is in no file.
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
  const main = scriptTexts[path];
  if (main === undefined) throw new Error(`there is no script lua/${path}.lua`);
  const modules = new Map<string, string>();
  collect(path, main, parts, modules);
  const lua = modules.size === 0 ? main : withModules(main, modules);
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

const required = /\brequire\("([^"]+)"\)/g;

function namesIn(text: string): readonly string[] {
  return Array.from(text.matchAll(required), ([, name = ""]) => name);
}

/** Whether the script at `path`, or what it requires, requires a module that is in no file. */
function needsParts(path: string, seen = new Set<string>()): boolean {
  const text = scriptTexts[path];
  if (text === undefined) return true;
  seen.add(path);
  return namesIn(text).some((name) => !seen.has(name) && needsParts(name, seen));
}

/** Adds to `modules` what `text`, of `lua/<path>.lua`, requires, directly or not. */
function collect(path: string, text: string, parts: Parts, modules: Map<string, string>): void {
  for (const name of namesIn(text)) {
    if (modules.has(name)) continue;
    const module = parts[name] ?? scriptTexts[name];
    if (module === undefined) throw new Error(`lua/${path}.lua requires "${name}", which does not exist`);
    modules.set(name, module);
    collect(name, module, parts, modules);
  }
}

/**
 * `main` behind a `require` for `modules`, by their numbers. All of them are in one function, each in a branch of its own: Lua makes the functions of a module when a call comes to its branch, so a module that a
 * call does not need costs it nothing.
 */
function withModules(main: string, modules: ReadonlyMap<string, string>): string {
  const numbers = new Map(Array.from(modules.keys(), (name, index) => [name, index + 1]));
  const numbered = (text: string) => text.replace(required, (_, name: string) => `require(${numbers.get(name)})`).trimEnd();
  return `local require
do
local loaded = {}
local function run(number)
${branches(Array.from(modules.values(), numbered), 1)}end
function require(number)
  if loaded[number] == nil then loaded[number] = run(number) end
  return loaded[number]
end
end
${numbered(main)}
`;
}

/** Lua that runs the text at `number`, of which the first has the number `first`, after few comparisons. */
function branches(texts: readonly string[], first: number): string {
  if (texts.length === 1) return `${texts[0]}\n`;
  const half = texts.length >> 1;
  return `if number < ${first + half} then
${branches(texts.slice(0, half), first)}else
${branches(texts.slice(half), first + half)}end
`;
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
