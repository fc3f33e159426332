import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { root } from "./playing/pages.js";

const read = (file: string) => readFileSync(join(root, file), "utf8");
const options = read("docs/reference/options.md");

/** The words in backquotes in the first column of the table below `heading`. */
function listed(heading: string): readonly string[] {
  const [, section = ""] = new RegExp(`^## ${heading}\n([^]*?)(?=^## |$(?![^]))`, "m").exec(options) ?? [];
  const cells = Array.from(section.matchAll(/^\| (`[^|]*) \|/gm), ([, cell = ""]) => cell);
  return cells.flatMap((cell) => Array.from(cell.matchAll(/`([^`]*)`/g), ([, word = ""]) => word)).toSorted();
}

/** The fields of the interface `name` in `file`, without those that it inherits. */
function fieldsOf(file: string, name: string): readonly string[] {
  const [, body = ""] = new RegExp(`^export interface ${name}\\b[^{]*{\n([^]*?)^}`, "m").exec(read(file)) ?? [];
  return Array.from(body.matchAll(/^ {2}readonly (\w+)\??:/gm), ([, field = ""]) => field);
}

const client = "packages/client/src";
const shared = fieldsOf(`${client}/options/task-options.ts`, "SharedOptions");

test.each([
  ["createApp", fieldsOf(`${client}/app/options.ts`, "AppOptions")],
  ["Task options", [...shared, ...fieldsOf(`${client}/options/task-options.ts`, "TaskOptions")]],
  [
    "Call options",
    [
      ...shared,
      ...fieldsOf(`${client}/options/task-options.ts`, "CallBasics"),
      ...fieldsOf(`${client}/options/task-options.ts`, "StartOptions"),
    ],
  ],
  ["Beat entries", ["task", "args", ...fieldsOf(`${client}/beat/entry.ts`, "BeatSettings")]],
  ["get", [...fieldsOf(`${client}/result/wait-options.ts`, "WaitOptions"), ...fieldsOf(`${client}/result/wait-options.ts`, "GetOptions")]],
  ["waitFor", fieldsOf(`${client}/result/wait-for.ts`, "WaitForOptions")],
  ["Retention", fieldsOf("packages/broker/src/routing/retention.ts", "RetentionOptions")],
  ["revoke", fieldsOf(`${client}/control/revoke.ts`, "RevokeOptions")],
  [
    "createWorker",
    [...fieldsOf("packages/worker/src/options.ts", "WorkerOptions"), ...fieldsOf("packages/worker/src/pool/options.ts", "PoolOptions")],
  ],
  ["createBeat", fieldsOf("packages/beat/src/options.ts", "BeatOptions")],
  ["testWorker", fieldsOf("packages/testing/src/test-worker.ts", "TestWorkerOptions")],
])("the table of %s has every option, and no other", (heading, fields) => {
  expect(fields.length).toBeGreaterThan(1);
  expect(listed(heading)).toEqual(fields.toSorted());
});

test.each([
  ["task-worker", "packages/worker/bin/task-worker.js"],
  ["task-beat", "packages/beat/bin/task-beat.js"],
])("the table of %s has every flag, and no other", async (command, file) => {
  const { stdout } = await promisify(execFile)(process.execPath, [join(root, file), "--help"]);
  const flags = Array.from(stdout.matchAll(/^ {2}(?:(-\w), )?(--[\w-]+)/gm), ([, short, long]) => [short ?? [], long ?? []]).flat(2);
  const named = listed(command).map((flag) => flag.replace(/ <.*/, ""));
  expect(named).toEqual(flags.toSorted());
});

test("the environment variables that the packages read are listed", () => {
  const files = ["client/src/app/options.ts", "program/src/discover.ts", "program/src/colours.ts"];
  const names = files.flatMap((file) =>
    Array.from(read(`packages/${file}`).matchAll(/\b(?:environment|env)\["([A-Z_]+)"\]/g), ([, name = ""]) => name),
  );
  expect(listed("Environment")).toEqual([...new Set(names)].toSorted());
});

test("the keys and channels that are Bullrush's own are in the list of keys", () => {
  const sources = ["redis/keys.ts", "protocol/reply-channel.ts"].map((file) => read(`packages/broker/src/${file}`)).join("");
  const keys = Array.from(sources.matchAll(/return `(bullrush:\w+)/g), ([, key = ""]) => key);
  expect(keys.length).toBeGreaterThan(2);
  expect(keys.filter((key) => !read("docs/reference/redis-state.md").includes(`\`${key}:`))).toEqual([]);
});
