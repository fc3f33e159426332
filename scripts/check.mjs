// node scripts/check.mjs [--only a,b] [--except a,b]: runs everything that CI checks, one line
// each, with the output of what fails. Every check runs, even after a failure; the exit code is 1
// if any failed.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs, stripVTControlCharacters } from "node:util";
import { checkFiles } from "./files.mjs";
import { checkGenerated } from "./generate.mjs";
import { checkInstall, checkProducer } from "./install.mjs";
import { program, run, seconds, withPnpm } from "./tools.mjs";

const tsc = program("typescript", { name: "tsc" });

/** Each check returns an exit code, output, and optionally a summary. */
const checks = {
  /** The module of script texts matches the .lua files. */
  generated: () => checkGenerated(),
  /** Sources, then everything that is not built: tests, examples, benchmarks. */
  types: () => all([...tsc, "-b"], [...tsc, "-p", "tsconfig.test.json", "--noEmit"]),
  /** Rules, import cycles, and the order of packages and folders. */
  lint: () => run(program("oxlint")),
  format: () => run([...program("oxfmt"), "--check"]),
  /**
   * Files, exports and dependencies that nothing uses, and dependencies that are used but not
   * declared.
   */
  unused: () => run([...program("knip"), "--no-config-hints"]),
  /** No line that must not be in the repository. */
  files: () => checkFiles(),
  /** Each package as npm would get it, and all of them in an empty project. */
  publish: () => checkTarballs(),
  tests: () => checkTests(),
};

const { values } = parseArgs({ options: { only: { type: "string" }, except: { type: "string" } } });
const names = chosen();

let failed = 0;
for (const name of names) {
  const started = Date.now();
  const { code, output, summary } = await checks[name]();
  const took = seconds(Date.now() - started);
  console.log(`${code === 0 ? "ok  " : "FAIL"} ${name.padEnd(8)}${took.padStart(7)}${summary === undefined ? "" : `  ${summary}`}`);
  if (code === 0) continue;
  failed += 1;
  console.log(`\n${output.trim()}\n`);
}
console.log(failed === 0 ? `All ${names.length} checks passed.` : `${failed} of ${names.length} checks failed.`);
process.exit(failed === 0 ? 0 : 1);

function chosen() {
  const only = values.only?.split(",") ?? Object.keys(checks);
  const except = values.except?.split(",") ?? [];
  const unknown = [...only, ...except].filter((name) => !Object.hasOwn(checks, name));
  if (unknown.length > 0) {
    console.error(`No such check: ${unknown.join(", ")} (there are: ${Object.keys(checks).join(", ")})`);
    process.exit(2);
  }
  return only.filter((name) => !except.includes(name));
}

/** Runs commands one after the other, up to the first that fails. */
async function all(...commands) {
  let output = "";
  for (const command of commands) {
    const result = await run(command);
    output += result.output;
    if (result.code !== 0) return { code: result.code, output };
  }
  return { code: 0, output };
}

async function checkTarballs() {
  const folder = mkdtempSync(join(tmpdir(), "bullrush-pack-"));
  try {
    const packed = await run(withPnpm("--recursive", "--filter", "./packages/*", "pack", "--pack-destination", folder));
    if (packed.code !== 0) return packed;
    const tarballs = readdirSync(folder).map((name) => join(folder, name));
    const checked = await all(
      ...tarballs.map((tarball) => [...program("publint"), tarball, "--strict"]),
      ...tarballs.map((tarball) => [...program("@arethetypeswrong/cli", { name: "attw" }), tarball, "--profile", "esm-only"]),
    );
    if (checked.code !== 0) return checked;
    const contents = await all(...tarballs.map((tarball) => ["tar", "-tzf", tarball]));
    const maps = contents.output.split("\n").filter((file) => file.endsWith(".map"));
    if (contents.code !== 0 || maps.length > 0) return { code: 1, output: `Source maps without their sources:\n${maps.join("\n")}` };
    const producer = await checkProducer(tarballs, folder);
    if (producer.code !== 0) return producer;
    return { ...(await checkInstall(tarballs, folder)), summary: `${tarballs.length} packages, installed and tried` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function checkTests() {
  const { code, output } = await run([...program("vitest"), "run"]);
  const [, summary] = stripVTControlCharacters(output).match(/^ +Tests +(.*)$/m) ?? [];
  return { code, output, summary };
}
