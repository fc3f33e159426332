// node scripts/bootstrap.mjs demo|test|build [arguments]: from a bare clone to the demo or the
// tests with nothing but Node and npm. Installs what the lockfile says if that has not been done,
// builds, and goes on. `npm run demo` and `npm test` call it.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { pnpm, program, root, run, seconds, withPnpm } from "./tools.mjs";

const demo = "examples/routed-queues/demo.ts";

const [action, ...args] = process.argv.slice(2);
const actions = {
  demo: () => [...program("jiti", { folder: "examples/routed-queues" }), demo, ...args],
  test: () => [...program("vitest"), "run", ...args],
  build: () => undefined,
};

if (!Object.hasOwn(actions, action ?? "")) fail(`Usage: node scripts/bootstrap.mjs ${Object.keys(actions).join("|")} [arguments]`, 2);
checkNode();
await install();
await buildPackages();
const command = actions[action]();
if (command !== undefined) process.exit((await run(command, { show: true })).code);

function checkNode() {
  const { engines } = manifest(".");
  const [major, minor] = engines.node.match(/\d+/g).map(Number);
  const [hasMajor, hasMinor] = process.versions.node.split(".").map(Number);
  if (hasMajor > major || (hasMajor === major && hasMinor >= minor)) return;
  fail(`Bullrush needs Node ${major}.${minor} or newer; this is ${process.versions.node} (${process.execPath}).`);
}

/** Installs unless what is installed is what the lockfile and the manifests ask for. */
async function install() {
  const stamp = join(root, "node_modules", ".bullrush-install");
  const wanted = fingerprint();
  const first = !existsSync(stamp);
  if (!first && readFileSync(stamp, "utf8") === wanted && complete()) return;
  rmSync(stamp, { force: true });
  const started = Date.now();
  process.stdout.write(`Installing (${first ? "first run" : "dependencies changed"})… `);
  const { code, output } = await run(withPnpm("install", "--frozen-lockfile", "--config.confirmModulesPurge=false"));
  if (code !== 0) fail(`failed\n\n${output}\nThe install failed (npx -y ${pnpm} install --frozen-lockfile): see above.`);
  mkdirSync(join(root, "node_modules"), { recursive: true });
  writeFileSync(stamp, wanted);
  console.log(seconds(Date.now() - started));
}

async function buildPackages() {
  const { code, output } = await build();
  if (code !== 0) fail(output);
}

function fingerprint() {
  const hash = createHash("sha256").update(`${pnpm} ${process.platform} ${process.arch}`);
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", ...folders().map((folder) => join(folder, "package.json"))]) {
    hash.update(`\0${file}\0`).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

/**
 * Whether every direct dependency is there: a broken or half-removed node_modules is installed
 * again.
 */
function complete() {
  return folders().every((folder) => {
    const { dependencies, devDependencies } = manifest(folder);
    const names = Object.keys({ ...dependencies, ...devDependencies });
    return names.every((name) => existsSync(join(root, folder, "node_modules", name, "package.json")));
  });
}

/** The folders of all packages, from the `packages` of pnpm-workspace.yaml. */
function folders() {
  const [, list] = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8").match(/^packages:\n((?: +- .*\n)+)/m);
  const found = list.match(/[^\s-].*/g).flatMap((pattern) => {
    if (!pattern.endsWith("/*")) return pattern;
    const parent = pattern.slice(0, -2);
    return existsSync(join(root, parent)) ? readdirSync(join(root, parent)).map((name) => `${parent}/${name}`) : [];
  });
  return [".", ...found.filter((folder) => existsSync(join(root, folder, "package.json"))).toSorted()];
}

function manifest(folder) {
  return JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
}

function fail(message, code = 1) {
  console.error(message);
  process.exit(code);
}
