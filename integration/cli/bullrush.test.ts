import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { compiledFixture } from "../lib/fixture.js";
import { startProgram } from "../lib/program.js";
import { redisUrl } from "../lib/redis-url.js";

const folder = new URL("../../packages/cli/", import.meta.url);
const bin = (name: string) => fileURLToPath(new URL(`bin/${name}.js`, folder));
const fixture = compiledFixture("fixtures/tasks.ts", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("package.json", folder), "utf8")) as { readonly version: string };

/** The output of a command. */
async function ranOf(name: string, ...args: readonly string[]) {
  await using program = startProgram({ file: bin(name), args });
  const { code } = await program.exit;
  return { code, lines: program.lines, errors: program.errors };
}

describe("bullrush", () => {
  it("--version: prints the version of the package", async () => {
    expect(await ranOf("bullrush", "--version")).toEqual({ code: 0, lines: [version], errors: [] });
  });

  it("without a subcommand: prints help, which names each", async () => {
    const { code, lines, errors } = await ranOf("bullrush");
    expect({ code, errors }).toEqual({ code: 0, errors: [] });
    expect(lines.join("\n")).toMatch(/^Usage: bullrush [^]*^ {2}worker .*\n {2}beat /m);
  });

  it.each([
    [["wroker"], "bullrush: unknown command 'wroker' (Did you mean worker?) (see bullrush --help)"],
    [["worker", "--quues", "a"], "bullrush worker: unknown option '--quues' (Did you mean --queues?) (see bullrush worker --help)"],
    [["beat", "--from", "now"], "bullrush beat: --from is for --dry-run (see bullrush beat --help)"],
  ])("%j: is refused with one line", async (args, line) => {
    expect(await ranOf("bullrush", ...args)).toEqual({ code: 2, lines: [], errors: [line] });
  });

  it.each(["worker", "beat"])("help %s: is the help of the command of its own, by the name it was called", async (name) => {
    const own = await ranOf(`task-${name}`, "--help");
    const expected = { ...own, lines: own.lines.map((line) => line.replace(`Usage: task-${name}`, `Usage: bullrush ${name}`)) };
    expect(own.lines.length).toBeGreaterThan(10);
    expect(await ranOf("bullrush", "help", name)).toEqual(expected);
  });

  it("worker: runs tasks until it is told to stop", async () => {
    await using worker = startProgram({
      file: bin("bullrush"),
      args: ["worker", "-A", fixture, "-Q", "one"],
      env: { BULLRUSH_BROKER_URL: redisUrl(), FIXTURE_PREFIX: `bullrush-${randomUUID()}`, FIXTURE_QUEUES: "one" },
    });
    await worker.waitForEntry({ msg: "ready" });
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
  });
});
