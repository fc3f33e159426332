// node scripts/bundle.mjs [--watch]: packages/*/dist/**/*.js from the sources, a few files for each package. Their types are written beside them by `tsc -b`.
// One file for each of the 300 sources would cost every start of a command a quarter of a second.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { build, watch } from "rolldown";
import { root } from "./tools.mjs";

/** What is started by its path, as a command, in a thread or in a process: entries that a package does not export. */
const started = {
  cli: ["bin/bullrush"],
  program: ["typescript/hooks-thread"],
  worker: ["guard/thread", "pool/inside/process", "pool/inside/thread", "pool/inside/watchdog"],
};

const packages = readdirSync(join(root, "packages")).filter((name) => existsSync(join(root, "packages", name, "package.json")));

if (process.argv.includes("--watch")) watch(packages.map(optionsOf));
else await bundle();

/** Writes what has changed, and removes what is no more: whoever reads these files meanwhile finds them whole. */
async function bundle() {
  const results = await build(packages.map((name) => ({ ...optionsOf(name), write: false })));
  for (const [index, { output }] of results.entries()) writeOutput(join(root, "packages", packages[index], "dist"), output);
}

/** Entries keep their place, so that `dist/a/b.js` has the types of `dist/a/b.d.ts`. What several of them share lies in `dist/chunks`. */
function optionsOf(name) {
  const folder = join(root, "packages", name);
  const entries = [...exported(folder), ...(started[name] ?? [])];
  return {
    input: Object.fromEntries(entries.map((entry) => [entry, join(folder, `src/${entry}.ts`)])),
    cwd: folder,
    platform: "node",
    external: /^[^./]/,
    tsconfig: false,
    onLog(level, log, next) {
      if (level === "warn") throw new Error(`packages/${name}: ${log.message}`);
      next(level, log);
    },
    output: { dir: join(folder, "dist"), format: "esm", entryFileNames: "[name].js", chunkFileNames: "chunks/[name].js" },
  };
}

/** The entries behind the `exports` of the package in `folder`, without `.ts`. */
function exported(folder) {
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return Object.values(exports).flatMap((target) => target["@bullrush/source"]?.replace(/^\.\/src\/(.*)\.ts$/, "$1") ?? []);
}

function writeOutput(folder, output) {
  const texts = new Map(output.map((chunk) => [chunk.fileName, chunk.code]));
  mkdirSync(folder, { recursive: true });
  for (const found of readdirSync(folder, { recursive: true })) {
    if (found.endsWith(".js") && !texts.has(found.replaceAll(sep, "/"))) rmSync(join(folder, found));
  }
  for (const [name, text] of texts) {
    const file = join(folder, name);
    if (existsSync(file) && readFileSync(file, "utf8") === text) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.${process.pid}`, text);
    renameSync(`${file}.${process.pid}`, file);
  }
}
