import { commandsOf } from "../redis/probe-rights.js";
import { commandsIn } from "../redis/rights.js";
import { scriptTexts } from "../redis/script-texts.js";
import type { Script } from "../redis/script.js";
import { engineScript } from "./engine.js";

/** The scripts that a worker runs on its broker. */
export function workerScripts(): readonly Script[] {
  const names = ["settle-and-take", "renew", "recover", "count", "put-back-lost-takes", "let-go", "promote", "schedule"];
  return [...names, "flow/send-backlog", "flow/fail-cascade", "flow/read-cascade", "flow/list-stale-flows", "flow/continue"].map(
    engineScript,
  );
}

/** Those of their commands, in lower case, without which a worker can never take a plain message, settle it, or hold on to it. */
export async function plainCommands(): Promise<ReadonlySet<string>> {
  // What these modules require is for messages that are not plain, or is in one of the scripts.
  const modules = ["take", "take-batch", "settle-groups", "settle-batch"].map(
    (name) => scriptTexts[`bullmq/settle-and-take/${name}`] ?? "",
  );
  const scripts = await commandsOf(["renew", "recover"].map(engineScript));
  return new Set([...scripts.map((command) => command.toLowerCase()), ...modules.flatMap(commandsIn)]);
}
