// Shared by the scripts. No dependencies: it also runs before the first install.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder that holds the workspace. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * The package manager, run through npx: what `npx -y` is given. (A `packageManager` field would
 * make other versions of pnpm refuse to run.)
 */
export const pnpm = "pnpm@10.34.9";

/** The command that runs pnpm, with `args`. */
export function withPnpm(...args) {
  return ["npx", "-y", pnpm, ...args];
}

/**
 * The command that runs `name`, a program of the package that `folder` (default: the workspace's
 * root) depends on, with this Node.
 */
export function program(packageName, { name = packageName, folder = "." } = {}) {
  const home = join(root, folder, "node_modules", packageName);
  const { bin } = JSON.parse(readFileSync(join(home, "package.json"), "utf8"));
  return [process.execPath, join(home, typeof bin === "string" ? bin : bin[name])];
}

let running;
let interrupted = false;

// A terminal sends Ctrl-C to the whole group, so the child has it already. A second signal would
// mean "at once" to it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    interrupted = true;
    if (signal !== "SIGINT" || !process.stdin.isTTY) running?.kill(signal);
  });
}

/**
 * Runs a command in `folder` (default: the workspace's root) to its end. Its output is captured, or
 * goes to the terminal with `show`. Signals during the run go to the command, and nothing runs
 * after it.
 */
export async function run([command, ...args], { show = false, folder = root } = {}) {
  if (interrupted) process.exit(130);
  const child = spawn(command, args, {
    cwd: folder,
    stdio: show ? "inherit" : ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32" && command === "npx",
  });
  running = child;
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", (text) => (output += text));
  const code = await new Promise((resolve) => {
    child.once("error", (error) => {
      output += `${error.message}\n`;
      resolve(127);
    });
    child.once("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
  running = undefined;
  if (interrupted && !show) process.exit(code || 130);
  return { code, output };
}

/** Milliseconds in words. */
export function seconds(milliseconds) {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
