import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("../../scripts/generate.mjs", import.meta.url));

/** Tests run the Lua scripts from the generated module; an outdated one would prove nothing. */
export function setup(): void {
  const { status, stderr } = spawnSync(process.execPath, [script, "--check"], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
}
