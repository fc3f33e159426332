import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";
import { pages, root } from "./playing/pages.js";

/** Text without code, in which brackets and paths mean something else. */
const proseOf = (text: string) => text.replace(/^```[^]*?^```$/gm, "").replace(/`[^`\n]*`/g, "`code`");

/** The anchors that GitHub makes of the headings. */
function anchorsOf(file: string): readonly string[] {
  const headings = readFileSync(file, "utf8")
    .replace(/^```[^]*?^```$/gm, "")
    .matchAll(/^#+ (.*)$/gm);
  return Array.from(headings, ([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );
}

function flawOf(page: string, target: string): string | undefined {
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? join(root, page) : resolve(root, dirname(page), path);
  if (!file.startsWith(root)) return "leads out of the repository";
  if (!existsSync(file)) return "does not exist";
  if (anchor === undefined) return undefined;
  if (!statSync(file).isFile()) return "has an anchor and is no file";
  return anchorsOf(file).includes(anchor) ? undefined : "has no such heading";
}

test.each([...pages, "CONTRIBUTING.md"])("the links in %s lead somewhere", (page) => {
  const links = Array.from(proseOf(readFileSync(join(root, page), "utf8")).matchAll(/\]\(([^)\s]+)\)/g), ([, target = ""]) => target);
  const flaws = links
    .filter((target) => !/^https?:/.test(target))
    .flatMap((target) => {
      const flaw = flawOf(page, target);
      return flaw === undefined ? [] : [`${target} ${flaw}`];
    });
  expect(flaws).toEqual([]);
});

test.each(pages)("the files that %s names exist", (page) => {
  const text = readFileSync(join(root, page), "utf8");
  const named = Array.from(
    text.matchAll(/`((?:packages|examples|docs|integration|benchmarks|scripts)\/[\w./-]+)`/g),
    ([, path = ""]) => path,
  );
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test("every page can be reached from the README", () => {
  const reached = new Set<string>();
  const visit = (page: string): void => {
    if (reached.has(page)) return;
    reached.add(page);
    for (const [, target = ""] of readFileSync(join(root, page), "utf8").matchAll(/\]\(([^)#\s]+)[^)\s]*\)/g)) {
      const path = join(dirname(page), target);
      const index = pages.includes(path) ? path : join(path, "README.md");
      if (pages.includes(index)) visit(index);
    }
  };
  visit("README.md");
  expect(pages.filter((page) => !reached.has(page) && !page.startsWith("packages/"))).toEqual([]);
});
