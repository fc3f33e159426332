import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { compiledFixture } from "../lib/fixture.js";

const packages = fileURLToPath(new URL("../../packages", import.meta.url));
const beat = { "node_modules/@bullrush/beat/package.json": '{ "type": "module", "exports": "./index.js" }' };

test.each<[string, Record<string, string>, string]>([
  ["is not installed", {}, "WORKER_USAGE: -B needs the package @bullrush/beat: npm install @bullrush/beat"],
  [
    "lacks what it needs",
    { ...beat, "node_modules/@bullrush/beat/index.js": 'import "needed";' },
    "ERR_MODULE_NOT_FOUND: Cannot find package 'needed'",
  ],
  ["lacks a part of its own", beat, "ERR_MODULE_NOT_FOUND: Cannot find module"],
])("-B says what is missing when the package of beat %s", async (_, files, said) => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "bullrush-beside-")));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const main = `import { openBeat } from "./beat.js"; await openBeat().catch((error) => console.log(error.code + ": " + error.message));`;
  for (const [path, text] of Object.entries({ ...files, "package.json": '{ "type": "module" }', "main.js": main })) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  mkdirSync(join(directory, "node_modules/@bullrush"), { recursive: true });
  symlinkSync(join(packages, "broker"), join(directory, "node_modules/@bullrush/broker"));
  copyFileSync(compiledFixture("../../packages/worker/src/bin/beat.ts", import.meta.url), join(directory, "beat.js"));
  const { stdout } = await promisify(execFile)(process.execPath, [join(directory, "main.js")]);
  expect(stdout).toContain(said);
});
