import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startProgram, type Program } from "../lib/program.js";
import { redisUrl } from "../lib/redis-url.js";
import { build, present, previousCommit, projectOf } from "./previous.js";

const commit = await previousCommit();
if (commit === undefined) console.log("skipped: the version before beside this one, because the history of this clone does not have it");

interface Version {
  /** Its packages. */
  readonly folder: string;
  /** A project that uses them. */
  readonly project: string;
}

type Name = "this" | "previous";

const folder = mkdtempSync(join(tmpdir(), "bullrush-previous-"));
const versions = new Map<Name, Version>();

beforeAll(async () => {
  if (commit === undefined) return;
  await build(commit, folder);
  versions.set("this", { folder: present, project: projectOf(present) });
  versions.set("previous", { folder, project: projectOf(folder) });
}, 300_000);

afterAll(() => {
  for (const { project } of versions.values()) rmSync(project, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
});

function start(name: Name, prefix: string, file: (version: Version) => string, args: readonly string[] = []): Program {
  const version = versions.get(name);
  if (version === undefined) throw new Error(`version "${name}" is not built`);
  return startProgram({
    file: file(version),
    args,
    cwd: version.project,
    env: { BULLRUSH_BROKER_URL: redisUrl(), COMPAT_PREFIX: prefix },
  });
}

/** A started `task-worker` of a version. */
async function startWorker(name: Name, prefix: string): Promise<Program> {
  const worker = start(name, prefix, (version) => join(version.folder, "packages/worker/bin/task-worker.js"), [
    "-A",
    "./tasks.mjs",
    "-c",
    "8",
  ]);
  await worker.waitForEntry({ msg: "ready" });
  return worker;
}

/** The JSON that a program of a version prints. */
async function told(name: Name, prefix: string, program: string, args: readonly string[] = []): Promise<unknown> {
  await using running = start(name, prefix, ({ project }) => join(project, program), args);
  const line = await running.waitFor(/^[[{]/);
  expect(await running.exit).toEqual({ code: 0, signal: null });
  return JSON.parse(line) as unknown;
}

const values = {
  ...{ plain: 3, later: 7, urgent: 11, linked: 2, retried: 3, reported: "reported", replaced: 7 },
  ...{ chained: 7, grouped: [2, 5], joined: 11_175 },
  ...{ failed: "TaskFailedError: RangeError: as it should", revoked: [true, "REVOKED"] },
};

describe.skipIf(commit === undefined)(`the version before (${commit}) beside this one`, () => {
  it.each<{ readonly producer: Name; readonly workers: readonly Name[]; readonly reader: Name }>([
    { producer: "previous", workers: ["this"], reader: "this" },
    { producer: "this", workers: ["previous"], reader: "previous" },
    { producer: "previous", workers: ["previous", "this"], reader: "this" },
    { producer: "this", workers: ["this", "previous"], reader: "previous" },
  ])("producer: $producer, workers: $workers, reader: $reader", async ({ producer, workers, reader }) => {
    const prefix = `compat-${randomUUID()}`;
    const running = await Promise.all(workers.map((name) => startWorker(name, prefix)));
    const sent = (await told(producer, prefix, "send.mjs")) as { readonly values: object; readonly ids: Record<string, string> };
    expect(sent.values).toEqual(values);
    const { plain, later, retried, chained, joined } = values;
    expect(await told(reader, prefix, "read.mjs", Object.values(sent.ids))).toEqual([plain, later, retried, chained, joined]);
    for (const worker of running) {
      expect(worker.entries.filter(({ msg }) => msg === "succeeded").length).toBeGreaterThan(0);
      expect(worker.entries.filter(({ level, msg }) => typeof level === "number" && level >= 50 && msg !== "failed")).toEqual([]);
      expect(await worker.stop()).toEqual({ code: 0, signal: null });
    }
  });
});
