import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { app } from "../examples/routed-queues/tasks.js";
import { root } from "./playing/pages.js";

const read = (file: string) => readFileSync(join(root, file), "utf8");
const dockerfile = read("Dockerfile").split("\n");
const compose = read("docker-compose.yml");

/** The rest of the lines of the Dockerfile that begin with `instruction`. */
const instructions = (instruction: string) =>
  dockerfile.filter((line) => line.startsWith(`${instruction} `)).map((line) => line.slice(instruction.length + 1));

/** The commands of both files, in the form in which no shell stands between Docker and them. */
const commands = [
  ...instructions("CMD").map((text) => ["Dockerfile", text] as const),
  ...Array.from(
    compose.matchAll(/^ {2}([\w-]+):.*\n(?: {4}.*\n)*? {4}command:\s*(\[[^\]]*\])/gm),
    ([, service = "", text = ""]) => [service, text] as const,
  ),
];

/** What both images have of the repository. */
const copied = instructions("COPY").flatMap((line) => /^--from=build \/app\/(\S+) /.exec(line)?.[1] ?? []);

test("every service has a command, and the Dockerfile one", () => {
  expect(commands.map(([place]) => place)).toEqual(["Dockerfile", "redis", "worker-a", "worker-b", "beat"]);
});

describe.each(commands.filter(([place]) => place !== "redis"))("the command of %s", (_, text) => {
  const [program, script = "", ...args] = JSON.parse(text) as readonly string[];
  const valueOf = (flag: string) => args[args.indexOf(flag) + 1] ?? "";

  test("is Node with files that the image has", () => {
    expect(program).toBe("node");
    const inImage = (file: string) => copied.some((folder) => file.startsWith(`${folder}/`));
    expect([script, valueOf("-A")].filter((file) => !existsSync(join(root, file)) || !inImage(file))).toEqual([]);
  });

  test("has flags that there are", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [join(root, script), "--help"]);
    const known = Array.from(stdout.matchAll(/^ {2}(?:(-\w), )?(--[\w-]+)/gm), ([, short, long]) => [short ?? [], long ?? []]).flat(2);
    const flags = args.filter((_, index) => index % 2 === 0);
    expect(flags.length).toBeGreaterThan(0);
    expect(flags.filter((flag) => !known.includes(flag))).toEqual([]);
  });

  test("takes from a queue that the app declares", () => {
    if (args.includes("-Q")) expect(app.options.queues).toContain(valueOf("-Q"));
  });
});

test("Redis keeps its data, and evicts none", () => {
  const text = commands.find(([place]) => place === "redis")?.[1] ?? "";
  expect(JSON.parse(text)).toEqual(expect.arrayContaining(["--appendonly", "yes", "--maxmemory-policy", "noeviction"]));
});

test("compose builds from the Dockerfile, in words that older versions know", () => {
  expect(compose).toMatch(/^ {4}build: \.$/m);
  expect(compose).not.toContain("dockerfile_inline");
  // Each service that is not named by it is that of the anchor.
  expect(compose.match(/<<: \*program/g)).toHaveLength(2);
});

test("the image: runs as a user without rights, and its build uses existing scripts", () => {
  const last = dockerfile.findLastIndex((line) => line.startsWith("FROM "));
  expect(dockerfile.slice(last)).toContain("USER node");
  const [pnpm] = /pnpm@[\d.]+/.exec(read("scripts/tools.mjs")) ?? [];
  const runs = instructions("RUN");
  expect(runs).toContain("node scripts/bootstrap.mjs build");
  expect(runs.filter((line) => line.startsWith(`npx -y ${pnpm} install --frozen-lockfile --prod `))).toHaveLength(1);
  const names = runs.flatMap((line) => Array.from(line.matchAll(/--filter "([^".]+)\.\.\."/g), ([, name = ""]) => name));
  const { name } = JSON.parse(read("examples/routed-queues/package.json")) as { name: string };
  expect(names).toEqual([name]);
});
