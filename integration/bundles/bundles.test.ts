import { randomUUID } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { long } from "../lib/long.js";
import { startProgram } from "../lib/program.js";
import { makeProject, type Project } from "../lib/project.js";
import { redisUrl } from "../lib/redis-url.js";

const modules = fileURLToPath(new URL("../node_modules", import.meta.url));
const page = readFileSync(new URL("../../docs/guide/bundling.md", import.meta.url), "utf8");
const program = readFileSync(new URL("fixtures/main.mjs", import.meta.url), "utf8");

/** The command on the page that begins with `npx <bundler>` and names `out`, as arguments. */
function commandFor(bundler: string, out: string): readonly string[] {
  const line = page.split("\n").find((text) => text.startsWith(`npx ${bundler} `) && text.includes(out));
  if (line === undefined) throw new Error(`docs/guide/bundling.md has no command of ${bundler} for ${out}`);
  return Array.from(line.matchAll(/"([^"]*)"|(\S+)/g), ([, quoted, word = ""]) => quoted ?? word).slice(2);
}

/** The block of code on the page whose first line is `// <file>`. */
function blockOf(file: string): string {
  const [, text] = new RegExp(`^\`\`\`js\\n// ${file}\\n([^]*?)^\`\`\`$`, "m").exec(page) ?? [];
  if (text === undefined) throw new Error(`docs/guide/bundling.md has no ${file}`);
  return text;
}

/**
 * Each bundler with the recipe of its page: rollup in a build without a binary, which is the same
 * program.
 */
const bundles = [
  { name: "esbuild to ESM", out: "out/main.mjs", bin: "esbuild/bin/esbuild", args: commandFor("esbuild", "out/main.mjs") },
  { name: "esbuild to CommonJS", out: "out/main.cjs", bin: "esbuild/bin/esbuild", args: commandFor("esbuild", "out/main.cjs") },
  // It computes for a minute.
  { name: "rollup", out: "out/main.mjs", bin: "@rollup/wasm-node/dist/bin/rollup", args: commandFor("rollup", "rollup.config.mjs") },
];

describe.each(long ? bundles : bundles.slice(0, 2))("a program that $name makes one file of, in an empty folder", ({ out, bin, args }) => {
  let project: Project;
  let folder: string;

  beforeAll(async () => {
    project = makeProject({ "main.js": program, "package.json": '{"type":"module"}', "rollup.config.mjs": blockOf("rollup.config.mjs") });
    symlinkSync(join(modules, "@rollup"), join(project.directory, "node_modules/@rollup"));
    const build = startProgram({ file: join(modules, bin), args, cwd: project.directory });
    const { code } = await build.exit;
    if (code !== 0) throw new Error(build.errors.join("\n"));
    folder = realpathSync(mkdtempSync(join(tmpdir(), "bullrush-bundle-")));
    copyFileSync(join(project.directory, out), join(folder, basename(out)));
    project[Symbol.dispose]();
    // Bundlers without a binary compute for long where the cores are busy.
  }, 300_000);

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const start = (env: Readonly<Record<string, string>> = {}) =>
    startProgram({ file: join(folder, basename(out)), cwd: folder, env: { REDIS_URL: redisUrl(), PREFIX: randomUUID(), ...env } });

  it("sends tasks, runs them inline and reads their results", async () => {
    expect(readdirSync(folder)).toEqual([basename(out)]);
    await using running = start();
    await running.waitForEntry({ plain: 3, later: 4, chord: 6, failed: "TASK_FAILED", cron: "5 4 * * *", direct: 7 });
    expect(await running.exit).toEqual({ code: 0, signal: null });
    expect(running.errors).toEqual([]);
    // What needs a file of its own says once that it goes without.
    expect(running.entries.filter(({ msg }) => /guard thread/.test(String(msg)))).toHaveLength(1);
  });

  it.each(["threads", "processes"])("says in one line that the pool %s needs files", async (pool) => {
    await using running = start({ POOL: pool });
    const { message } = await running.waitForEntry({ code: "POOL_FAILED" });
    expect(message).toContain(`the pool ${pool} needs files of @bullrush/worker, which are not beside this bundle`);
    expect(message).not.toContain("\n");
    expect(await running.exit).toEqual({ code: 0, signal: null });
    expect(running.entries.filter(({ msg }) => /runner/.test(String(msg)))).toEqual([]);
  });
});
