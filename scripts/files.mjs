import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pnpm, root, run } from "./tools.mjs";
import { wordFiles, words } from "./words.mjs";

const rules = [
  {
    // Each user chooses a registry of packages.
    found: /\/\/(?:[\w-]+\.)*(?:registry|npm|nexus|artifactory|verdaccio)\.[\w.-]+|\bregistry\.(?:npmjs|yarnpkg|npmmirror)\b/i,
    problem: "names a package registry",
  },
  {
    found: /(?<![\w.~-])(?:\/(?:home|Users|root|work)\/|[A-Z]:[\\/]Users[\\/])[\w.-]+/,
    problem: "names a path of somebody's machine",
  },
  {
    found: new RegExp(`\\bpnpm@(?!${pnpm.slice("pnpm@".length).replaceAll(".", "\\.")}\\b)\\d[\\d.]*`),
    problem: `names another pnpm than scripts/tools.mjs (${pnpm})`,
  },
];

/** Reads every file that git tracks or would add, and reports lines that must not be there. */
export async function checkFiles() {
  const listed = await run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
  if (listed.code !== 0) return { code: 0, output: "", summary: "skipped: not a git checkout" };
  const files = listed.output.split("\0").filter((file) => file !== "" && existsSync(join(root, file)));
  const problems = files.flatMap((file) =>
    readFileSync(join(root, file), "utf8")
      .split("\n")
      .flatMap((line, index) =>
        (wordFiles.test(file) ? [...rules, ...words] : rules).flatMap(({ found, problem }) => {
          const [text] = line.match(found) ?? [];
          return text === undefined ? [] : `${file}:${index + 1} ${problem}: ${text}`;
        }),
      ),
  );
  return { code: problems.length === 0 ? 0 : 1, output: problems.join("\n"), summary: `${files.length} files` };
}
