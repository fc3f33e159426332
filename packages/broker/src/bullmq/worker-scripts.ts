import { commandsOf } from "../redis/probe-rights.js";
import type { Script } from "../redis/script.js";
import { engineScript } from "./engine.js";

/** The scripts that a worker runs on its broker. */
export function workerScripts(): readonly Script[] {
  const names = ["exchange", "renew", "recover", "count", "unheard", "let-go", "promote", "schedule"];
  return [...names, "flow/send-backlog", "flow/doom", "flow/doomed", "flow/stale", "flow/continue"].map(engineScript);
}

/** Those of their commands, in lower case, without which a worker can never take a plain message, settle it, or hold on to it. */
export async function plainCommands(): Promise<ReadonlySet<string>> {
  const scripts = ["exchange/taking", "exchange/ours", "renew", "recover"].map(engineScript);
  return new Set((await commandsOf(scripts)).map((command) => command.toLowerCase()));
}
