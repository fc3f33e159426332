import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * A directory with a user's files, in which the packages can be imported. Removed at the end of
 * `using`.
 */
export interface Project extends Disposable {
  readonly directory: string;
}

const modules = fileURLToPath(new URL("../node_modules", import.meta.url));

/** Makes a project of `files`: texts by path. */
export function makeProject(files: Readonly<Record<string, string>>): Project {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "bullrush-project-")));
  mkdirSync(join(directory, "node_modules"));
  symlinkSync(join(modules, "@bullrush"), join(directory, "node_modules", "@bullrush"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
}
