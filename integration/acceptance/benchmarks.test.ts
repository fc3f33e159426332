import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { long } from "../lib/long.js";
import { startProgram } from "../lib/program.js";

const file = fileURLToPath(new URL("../../benchmarks/run.mjs", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "bullrush-bench-test-"));
const saved = join(folder, "saved.json");

interface Report {
  readonly failures: readonly string[];
  readonly scenarios: readonly {
    readonly name: string;
    readonly rows: readonly { readonly contender: string; readonly median: unknown; readonly ratio?: number }[];
  }[];
}

async function bench(...args: readonly string[]): Promise<string> {
  await using program = startProgram({ file, args });
  const { code } = await program.exit;
  if (code !== 0) throw new Error([`exit code ${code}`, ...program.lines, ...program.errors].join("\n"));
  return program.lines.join("\n");
}

/** One scenario of each kind in the gate. */
const some = ["enqueue-bulk", "drain-1", "round-trips-1"];

beforeAll(async () => {
  const chosen = long ? [] : ["--scenario", some.join(",")];
  const report = await bench("--quick", "--rounds", "1", "--contender", "bullrush,bullmq", ...chosen, "--json");
  writeFileSync(saved, report);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

test(`${long ? "every" : "each chosen"} scenario: figures for both sides`, async () => {
  const { failures, scenarios } = JSON.parse(readFileSync(saved, "utf8")) as Report;
  expect(failures).toEqual([]);
  const named = /^Scenarios: (.*)$/m.exec(await bench("--help"))?.[1]?.split(", ");
  expect(scenarios.map(({ name }) => name)).toEqual(long ? named : named?.filter((name) => some.includes(name)));
  expect(scenarios.length).toBeGreaterThanOrEqual(some.length);
  for (const { name, rows } of scenarios) {
    // How much memory a process takes is known on Linux only.
    if (name === "memory-worker" && process.platform !== "linux") continue;
    const contenders = new Set(rows.map(({ contender }) => contender));
    const odd = rows.filter(
      ({ contender, median, ratio }) => typeof median !== "number" || (ratio === undefined) !== (contender === "BullMQ"),
    );
    expect({ name, contenders: [...contenders], odd }).toEqual({ name, contenders: ["Bullrush", "BullMQ"], odd: [] });
  }
});

test("saved figures: can be shown, plotted, and written into a page", async () => {
  const [plot, page] = [join(folder, "plot.svg"), join(folder, "page.md")];
  writeFileSync(page, "Before.\n<!-- figures: drain-1 -->\nold\n<!-- end of figures -->\nAfter.\n");
  const shown = await bench("--from", saved, "--plot", plot, "--report", page);
  expect(shown).toMatch(/^drain-1: 20 waiting tasks/m);
  expect(readFileSync(plot, "utf8")).toMatch(/^<svg [^]*>drain-1<[^]*<\/svg>\n$/);
  const written = readFileSync(page, "utf8");
  expect(written).toMatch(/^Before\.\n[^]*tasks\/s \(more is better\) +\| Bullrush[^]*\nAfter\.\n$/);
  expect(written).not.toMatch(/^old$/m);
});

test("stages run in processes of their own", async () => {
  const shown = await bench("--tasks", "20", "--rounds", "1", "--scenario", "drain-1", "--contender", "bullrush,bullmq");
  expect(shown.match(/^\| tasks\/s .*\| Bullrush .*×/gm)).toHaveLength(1);
});
