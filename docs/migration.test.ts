import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import * as client from "../packages/client/src/index.js";
import * as testing from "../packages/testing/src/index.js";
import * as worker from "../packages/worker/src/index.js";
import { beforeAll, expect, test } from "vitest";
import { root } from "./playing/pages.js";

const read = (file: string) => readFileSync(join(root, file), "utf8");

/** The code in the column of ours, with its line. */
function ours(page: string): readonly { readonly line: string; readonly code: string }[] {
  const lines = read(page)
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| Celery") && !line.startsWith("| BullMQ |"));
  return lines.flatMap((line) => {
    const [, , column = ""] = line.split(/(?<!\\)\|/);
    return Array.from(column.matchAll(/`([^`]+)`/g), ([, code = ""]) => ({ line, code }));
  });
}

function membersOf(value: object): readonly string[] {
  const names: string[] = [];
  for (let at: object | null = value; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at) as object | null) {
    names.push(...Object.getOwnPropertyNames(at));
  }
  return names;
}

const app = client.createApp({ broker: "redis://127.0.0.1:1" });
const task = app.task("tasks.add", (x: number, y: number) => x + y);
const context = /export interface TaskContext[^{]*{\n([^]*?)^}/m.exec(read("packages/client/src/task/context.ts"))?.[1] ?? "";

/** The words before a dot, with the members of what they stand for. */
const owners: Readonly<Record<string, readonly string[]>> = {
  app: membersOf(app),
  "app.beat": membersOf(app.beat),
  task: membersOf(task),
  signature: membersOf(task.s(1, 2)),
  result: membersOf(app.asyncResult("0b5a7a10-1111-4222-8333-abcdefabcdef")),
  group: membersOf(client.GroupResult.prototype),
  worker: membersOf(worker.createWorker(app)),
  this: Array.from(context.matchAll(/^ {2}(?:readonly )?(\w+)[(:?<]/gm), ([, name = ""]) => name),
};
const exported = [client, testing, worker].flatMap((names) => Object.keys(names));
/** The first columns of options.md, which a test of their own compares with the code. */
const options = Array.from(read("docs/reference/options.md").matchAll(/^\| (`[^|]*) \|/gm), ([, cell = ""]) => cell).flatMap((cell) =>
  Array.from(cell.matchAll(/`([^`]*)`/g), ([, word = ""]) => word.replace(/ <.*/, "")),
);
let flags: readonly string[] = [];

beforeAll(async () => {
  const commands = ["packages/worker/bin/task-worker.js", "packages/beat/bin/task-beat.js"];
  const helps = await Promise.all(commands.map((file) => promisify(execFile)(process.execPath, [join(root, file), "--help"])));
  flags = helps.flatMap(({ stdout }) =>
    Array.from(stdout.matchAll(/^ {2}(?:(-\w), )?(--[\w-]+)/gm), ([, short, long]) => [short ?? [], long ?? []].flat()).flat(),
  );
});

/** Names in `code` that do not exist here. */
function unknown(code: string): readonly string[] {
  if (/^(task-worker|task-beat)\b/.test(code) || code.startsWith("-")) {
    return Array.from(code.matchAll(/(?<=^|\s)--?[a-zA-Z][\w-]*/g), ([flag]) => flag).filter((flag) => !flags.includes(flag));
  }
  const [, path = "", member] = /^((?:app\.)?\w+)\.(\w+)/.exec(code) ?? [];
  const given = Array.from(code.matchAll(/(?<=[{,] )(\w+)(?=[:, ])/g), ([, name = ""]) => name).filter(
    (name) => /\{.*\}/.test(code) && !options.includes(name),
  );
  if (member !== undefined) return [...((owners[path] ?? []).includes(member) ? [] : [`${path}.${member}`]), ...given];
  const [name = ""] = /^\w+/.exec(code) ?? [];
  const isKnown = name in owners || exported.includes(name) || options.includes(name);
  return [...(isKnown ? [] : [name]), ...given];
}

test.each(["docs/migration/from-celery.md", "docs/migration/from-bullmq.md"])("%s names only what there is", (page) => {
  const names = ours(page);
  expect(names.length).toBeGreaterThan(30);
  expect(names.flatMap(({ line, code }) => unknown(code).map((name) => `${name} in ${line}`))).toEqual([]);
});

test("a name that does not exist is found", () => {
  const made = [
    "app.taskk()",
    "result.got()",
    "this.ignoreThis()",
    "maxRetry",
    "createApp({ brokers })",
    "task-worker --no-such",
    "--prefetch",
  ];
  expect(made.filter((code) => unknown(code).length === 0)).toEqual([]);
});

test("every stop time in the docs is longer than the worker's patience, and no page starts one through npx", () => {
  const page = read("docs/guide/deployment.md");
  const times = Array.from(
    page.matchAll(/(?:terminationGracePeriodSeconds: |TimeoutStopSec=|stop_grace_period: |--time )(\d+)/g),
    ([, seconds]) => Number(seconds),
  );
  const [, patience] = /`--shutdown-timeout <duration>` .*\| `(\d+)s` \|/.exec(read("docs/reference/options.md")) ?? [];
  expect(times.length).toBeGreaterThanOrEqual(4);
  expect(Math.min(...times)).toBeGreaterThanOrEqual(Number(patience) + 10);
  const blocks = Array.from(page.matchAll(/^```(?:ini|dockerfile|yaml)\n([^]*?)^```/gm), ([, block = ""]) => block);
  expect(blocks.length).toBe(3);
  expect(blocks.filter((block) => /(npx|npm run|npm exec|pnpm) ?task-|CMD [^[]|"npx"/.test(block))).toEqual([]);
});
