// node scripts/nodes.mjs [lines] [-- arguments of vitest]: runs the tests on other lines of Node:
// 20,22,24,26, or "newest" for the newest LTS. Without lines: on all, the oldest supported first.
// Each line's Node comes from the npm registry, and is kept in node_modules/.bullrush-nodes.
import { existsSync, mkdirSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { program, root, run, seconds } from "./tools.mjs";

/**
 * The version of each line that the tests run on. The first is the oldest supported, the last the
 * newest LTS.
 */
const versions = { 20: "20.19.6", 22: "22.23.5", 24: "24.22.3", 26: "26.12.1" };
const newest = Object.keys(versions).at(-1);

const [chosen, args] = parse(process.argv.slice(2));
const path = process.env.PATH;
let failed = 0;
for (const line of chosen) {
  const started = Date.now();
  const node = await fetchNode(versions[line]);
  // First on the PATH, so that child processes of the tests (commands, pool children, `npm`) run on
  // it too.
  process.env.PATH = `${dirname(node)}${delimiter}${path}`;
  const [, vitest] = program("vitest");
  const { code } = await run([node, vitest, "run", ...args], { show: true });
  console.log(`Node ${versions[line]}: ${code === 0 ? "passed" : "FAILED"} in ${seconds(Date.now() - started)}`);
  if (code !== 0) failed += 1;
}
process.exit(failed === 0 ? 0 : 1);

function parse(given) {
  const end = given.indexOf("--");
  const lines = (end < 0 ? given : given.slice(0, end)).flatMap((text) => text.split(","));
  const named = lines.length === 0 ? Object.keys(versions) : lines.map((line) => (line === "newest" ? newest : line));
  const unknown = named.filter((line) => !Object.hasOwn(versions, line));
  if (unknown.length > 0) {
    console.error(`No such line of Node: ${unknown.join(", ")} (there are: ${Object.keys(versions).join(", ")}, newest)`);
    process.exit(2);
  }
  return [named, end < 0 ? [] : given.slice(end + 1)];
}

/** The path of that Node. The registry's package contains nothing else. */
async function fetchNode(version) {
  const name = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;
  const folder = join(root, "node_modules", ".bullrush-nodes", version);
  const node = join(folder, "node_modules", name, "bin", process.platform === "win32" ? "node.exe" : "node");
  if (existsSync(node)) return node;
  mkdirSync(folder, { recursive: true });
  const command = [
    "npm",
    "install",
    "--prefix",
    folder,
    "--no-save",
    "--no-package-lock",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
    `${name}@${version}`,
  ];
  const { code, output } = await run(command);
  if (code === 0 && existsSync(node)) return node;
  console.error(`${output}\nNode ${version} cannot be had (${command.join(" ")}): see above.`);
  process.exit(1);
}
