import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, expect, inject, test } from "vitest";
import { eventually } from "../../integration/lib/eventually.js";
import { commandOf, start, type Started } from "../process.js";

const folder = fileURLToPath(new URL(".", import.meta.url));
const started: Started[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((process) => process.stop()));
});

function demo(environment: Readonly<Record<string, string>>): Started {
  const process = start(commandOf("jiti", import.meta.url), ["demo.ts"], { folder, environment });
  started.push(process);
  return process;
}

test("the demo shows routing, waiting, a result and a failure, and ends with 0", async () => {
  const process = demo({ BULLRUSH_DEMO_REDIS_URL: inject("redisUrl") });
  expect([await process.ended, process.output()]).toEqual([0, expect.stringContaining("All as it should be")]);
  const output = process.output();
  const inOrder = [
    "Redis given by URL",
    "$ task-worker -A ./tasks.ts -Q for_task_A -n workerA@%h",
    "$ task-worker -A ./tasks.ts -Q for_task_B -n workerB@%h",
    "taskA.delay(100, 200)  → 300",
    "taskB.delay(1, 2, 3)   → 6",
    "add.delay(1, 2)        → PENDING",
    "$ task-worker -A ./tasks.ts -Q default -n workerC@%h",
    "add.delay(1, 2)        → 3",
    "add.delay(1, 2)        → SUCCESS",
    "divide.delay(1, 0)     → FAILURE",
    "RangeError: division by zero",
    "tasks.ts:",
  ];
  let at = 0;
  for (const text of inOrder) {
    expect(output.slice(at), `after ${at} characters`).toContain(text);
    at = output.indexOf(text, at) + text.length;
  }
  expect(output).toMatch(/workerA {2}succeeded {2}tasks\.taskA\[/);
  expect(output).toMatch(/workerB {2}succeeded {2}tasks\.taskB\[/);
  expect(output).toMatch(/workerC {2}succeeded {2}tasks\.add\[/);
  expect(output.match(/worker. {2}stopped/g)).toHaveLength(3);
  expect(output).not.toContain("\u001B");

  const [, shown = ""] = /^```text\n([^]*?)^```$/m.exec(readFileSync(new URL("../../README.md", import.meta.url), "utf8")) ?? [];
  expect(shown).toContain("taskA.delay(100, 200)");
  expect(alike(output)).toContain(alike(shown));
});

/** `text` without what differs from run to run. */
function alike(text: string): string {
  return text
    .replace(/\[[0-9a-f]{8}\]/g, "[id]")
    .replace(/\d\d:\d\d:\d\d/g, "12:00:01")
    .replace(/(in|after) \d+ ms/g, "$1 n ms")
    .replaceAll("examples/routed-queues/", "");
}

test("a wrong result ends the demo with 1", async () => {
  const url = (database: number) => Object.assign(new URL(inject("redisUrl")), { pathname: `/${database}` }).href;
  // It takes the call that the demo expects to find waiting.
  const rogue = start(commandOf("bullrush", import.meta.url, "task-worker"), ["-A", "./tasks.ts", "-Q", "default"], {
    folder,
    environment: { BULLRUSH_BROKER_URL: url(1), BULLRUSH_RESULT_BACKEND: url(2) },
  });
  started.push(rogue);
  await rogue.line("ready");
  const process = demo({ BULLRUSH_DEMO_REDIS_URL: inject("redisUrl") });
  await process.line("Failed: add.delay(1, 2) should have given PENDING");
  expect(await process.ended).toBe(1);
  expect(process.output().match(/worker. {2}stopped/g)).toHaveLength(2);
});

test("Redis that cannot be used: the demo ends with 1 and prints the reason in one line", async () => {
  const process = demo({ BULLRUSH_DEMO_REDIS_URL: "http://127.0.0.1:6379" });
  await process.line("Failed: not a Redis URL");
  expect(await process.ended).toBe(1);
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGKILL", null],
] as const)("%s ends the demo, its workers and its Redis", async (signal, code) => {
  const process = demo({ BULLRUSH_DEMO_REDIS_URL: "" });
  await process.line("workerA", "ready");
  const family = await descendantsOf(process.pid);
  expect(family.length).toBeGreaterThanOrEqual(2);
  process.kill(signal);
  expect(await process.ended).toBe(code);
  await eventually("the family is gone", async () => (await running()).every(({ pid }) => !family.includes(pid)));
});

async function descendantsOf(ancestor: number): Promise<readonly number[]> {
  const all = await running();
  const childrenOf = (pid: number): readonly number[] =>
    all.filter((other) => other.parent === pid).flatMap((child) => [child.pid, ...childrenOf(child.pid)]);
  return childrenOf(ancestor);
}

/** All processes but zombies, which are dead and wait for somebody to ask. */
async function running(): Promise<readonly { readonly pid: number; readonly parent: number }[]> {
  const { stdout } = await promisify(execFile)("ps", ["-eo", "pid=,ppid=,stat="]);
  return [...stdout.matchAll(/^ *(\d+) +(\d+) +([^Z\s])/gm)].map(([, pid, parent]) => ({ pid: Number(pid), parent: Number(parent) }));
}
