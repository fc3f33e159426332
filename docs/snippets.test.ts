import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openRedis } from "../packages/broker/src/embedded/index.js";
import { stepsOf, tellers } from "./playing/page.js";
import { pages, root } from "./playing/pages.js";
import { Player } from "./playing/player.js";

/** The pages that have something to play. Those of the examples are about their own folders. */
const scripts = pages
  .filter((page) => !page.startsWith("examples/"))
  .map((page) => [page, stepsOf(join(root, page))] as const)
  .filter(([, steps]) => steps.length > 0);

/** A project with the packages installed, and a folder for each page. */
const project = mkdtempSync(join(tmpdir(), "bullrush-docs-"));
const folderOf = (page: string) => join(project, page.replace(/\.md$/, "").replaceAll("/", "-"));

beforeAll(() => {
  link("bullrush", join(root, "packages/cli"));
  const packages = ["@bullrush/client", "@bullrush/broker", "bullmq", "ioredis", "@bull-board/api"];
  for (const name of packages) link(name, join(root, "integration/node_modules", name));
  link("@bullrush/testing", join(root, "packages/testing"));
  link("pino", join(root, "packages/worker/node_modules/pino"));
  link("@types/node", join(root, "node_modules/@types/node"));
  writeFileSync(join(project, "package.json"), '{"type":"module"}');
  const compilerOptions = {
    ...{ target: "es2023", module: "nodenext", strict: true, noEmit: true, skipLibCheck: true, types: ["node"] },
    ...{
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      verbatimModuleSyntax: true,
      erasableSyntaxOnly: true,
      allowImportingTsExtensions: true,
    },
  };
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["*/*.ts"] }));
  for (const [page] of scripts) {
    mkdirSync(folderOf(page));
    writeFileSync(join(folderOf(page), "telling.ts"), tellers);
  }
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

function link(name: string, target: string): void {
  const path = join(project, "node_modules", name);
  mkdirSync(dirname(path), { recursive: true });
  symlinkSync(target, path, "junction");
}

describe.concurrent("the code and the commands: do what the page claims", () => {
  test.each(scripts)("%s", async (page, steps) => {
    const { BULLRUSH_TEST_REDIS: only } = process.env;
    const redis = await openRedis(only === "native" || only === "embedded" ? { only } : {});
    try {
      await new Player({ folder: folderOf(page), redis: new URL(redis.url).host }).play(steps);
    } finally {
      await redis.stop();
    }
  });
});

test("all code on the pages is sound TypeScript", async () => {
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  const { stdout } = await promisify(execFile)(process.execPath, [compiler, "-p", project]).catch((error: { stdout: string }) => error);
  expect(stdout).toBe("");
});
