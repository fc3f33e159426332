import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";

const here = import.meta.dirname;
const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin/tsc");

/** An error of the compiler. `lines` is all that it prints of it, the place aside. */
interface Finding {
  readonly file: string;
  readonly line: number;
  readonly lines: readonly string[];
}

/**
 * What the compiler that users have, with `strict` and nothing else, finds in the files of this
 * folder.
 */
async function findings(): Promise<readonly Finding[]> {
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [tsc, "-p", here, "--pretty", "false"], { cwd: here }, (_, stdout) => resolve(stdout));
  });
  return output
    .split(/\n(?=\S)/)
    .filter((text) => text.trim() !== "")
    .map((text) => {
      const [, file = text, line = "0", message = ""] = /^(.*)\((\d+),\d+\): (error TS[^]*)$/.exec(text.trimEnd()) ?? [];
      return { file, line: Number(line), lines: message.split("\n") };
    });
}

test(
  "what must not compile does not, on its own line, in three lines at most that say why; all else compiles",
  { timeout: 300_000 },
  async () => {
    const source = readFileSync(join(here, "refused.ts"), "utf8").split("\n");
    const expected = source.flatMap((text, index) => {
      const [, reason] = /; \/\/ (.+)$/.exec(text) ?? [];
      return reason === undefined ? [] : [{ line: index + 1, reason }];
    });
    const found = await findings();
    expect(expected.length).toBeGreaterThanOrEqual(30);
    expect(found.map(({ file, line }) => `${file}:${line}`)).toEqual(expected.map(({ line }) => `refused.ts:${line}`));
    for (const [index, { lines }] of found.entries()) {
      expect(lines.join("\n")).toContain(expected[index]?.reason);
      expect(lines.length).toBeLessThanOrEqual(3);
    }
  },
);
