import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** The version before the first tag: the first whose messages and flows have the present layouts. */
const firstCommit = "d2850f8";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const fixtures = fileURLToPath(new URL("fixtures", import.meta.url));

/** The folder of this version. */
export const present = root;

/**
 * The commit of the version before this one: the newest tag behind HEAD, else the first that
 * counts. `undefined` where the history does not have it, as in a shallow clone.
 */
export async function previousCommit(): Promise<string | undefined> {
  const tag = await git("describe", "--tags", "--match", "v*", "--abbrev=0", "HEAD^");
  const commit = tag ?? firstCommit;
  return (await git("cat-file", "-e", `${commit}^{commit}`)) === undefined ? undefined : commit;
}

/**
 * Builds the packages of `commit` in `folder`. With the modules that are installed here if they are
 * the same, else with an install of its own.
 */
export async function build(commit: string, folder: string): Promise<void> {
  const archive = join(folder, "archive.tar");
  await run("git", ["archive", "--output", archive, commit], { cwd: root });
  await run("tar", ["-xf", archive, "-C", folder]);
  rmSync(archive);
  if (readFileSync(join(folder, "pnpm-lock.yaml"), "utf8") === readFileSync(join(root, "pnpm-lock.yaml"), "utf8")) borrowModules(folder);
  else await run("npx", ["-y", "pnpm@10.34.9", "install", "--frozen-lockfile", "--prefer-offline"], { cwd: folder });
  await run(process.execPath, [join(folder, "node_modules/typescript/bin/tsc"), "-b"], { cwd: folder });
  const bundle = join(folder, "scripts/bundle.mjs");
  if (existsSync(bundle)) await run(process.execPath, [bundle], { cwd: folder });
}

/** The links of a package lead to its neighbours, and to the modules of the root. */
function borrowModules(folder: string): void {
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  for (const name of readdirSync(join(folder, "packages"))) {
    const modules = join("packages", name, "node_modules");
    if (existsSync(join(root, modules))) cpSync(join(root, modules), join(folder, modules), { recursive: true, verbatimSymlinks: true });
  }
}

/** Makes a project with the fixtures, which imports the packages of the version in `folder`. */
export function projectOf(folder: string): string {
  const project = mkdtempSync(join(tmpdir(), "bullrush-compat-"));
  cpSync(fixtures, project, { recursive: true });
  for (const name of ["broker", "client"]) {
    const link = join(project, "node_modules/@bullrush", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(folder, "packages", name), link, "junction");
  }
  return project;
}

/** The output of git; `undefined` if it fails, or is not installed. */
async function git(...args: readonly string[]): Promise<string | undefined> {
  return run("git", args, { cwd: root }).then(
    ({ stdout }) => stdout.trim(),
    () => undefined,
  );
}
