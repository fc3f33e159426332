import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { hangTimeout } from "../../integration/lib/hang-timeout.js";
import { commandOf, start, type Started } from "../process.js";

const folder = fileURLToPath(new URL(".", import.meta.url));
const started: Started[] = [];
let address = "";

function run(command: string, args: readonly string[], environment: Readonly<Record<string, string>>): Started {
  const process = start(command, args, { folder, environment });
  started.push(process);
  return process;
}

beforeAll(async () => {
  const urlOf = (database: number) => Object.assign(new URL(inject("redisUrl")), { pathname: `/${database}` }).href;
  const environment = { BULLRUSH_BROKER_URL: urlOf(7), BULLRUSH_RESULT_BACKEND: urlOf(8), PORT: "0" };
  const worker = run(commandOf("bullrush", import.meta.url, "task-worker"), ["-A", "./tasks.ts"], environment);
  const server = run(commandOf("jiti", import.meta.url), ["server.ts"], environment);
  await worker.line("ready");
  address = /http\S+/.exec(await server.line("ready"))?.[0] ?? "";
});

afterAll(async () => {
  await Promise.all(started.map((process) => process.stop()));
});

interface Reply {
  readonly status: number;
  readonly body: { readonly id?: string; readonly url?: string; readonly state?: string; readonly [more: string]: unknown };
}

async function ask(method: "GET" | "POST", path: string, body?: string): Promise<Reply> {
  const response = await fetch(`${address}${path}`, { method, ...(body !== undefined && { body }) });
  return { status: response.status, body: (await response.json()) as Reply["body"] };
}

/** Asks until the task has ended; gives all states that it was seen in, and the last reply. */
async function follow(url = ""): Promise<{ readonly states: readonly unknown[]; readonly last: Reply }> {
  const states = new Set<unknown>();
  for (const deadline = Date.now() + hangTimeout; Date.now() < deadline; await setTimeout(20)) {
    const last = await ask("GET", url);
    states.add(last.body.state);
    if (last.body.state === "SUCCESS" || last.body.state === "FAILURE") return { states: [...states], last };
  }
  throw new Error(`it has not ended after 20 s: ${[...states].join(", ")}`);
}

test("a report is accepted, makes progress, and is there", async () => {
  const { status, body } = await ask("POST", "/tasks", '{"rows":5}');
  expect({ status, body }).toEqual({ status: 202, body: { id: expect.any(String) as string, url: `/tasks/${body.id}` } });
  const { states, last } = await follow(body.url);
  expect(states).toContain("PROGRESS");
  expect(last).toEqual({ status: 200, body: { id: body.id, state: "SUCCESS", info: { rows: 5, total: 15 } } });
});

test("a report that fails: the reply has the error", async () => {
  const { body } = await ask("POST", "/tasks", '{"rows":101}');
  const { last } = await follow(body.url);
  expect(last.body).toMatchObject({
    state: "FAILURE",
    error: expect.stringContaining("RangeError: a report has 100 rows at most") as string,
  });
});

test.each([
  ["GET", `/tasks/${randomUUID()}`, undefined, 404],
  ["GET", "/tasks/42", undefined, 400],
  ["POST", "/tasks", "rows", 400],
  ["POST", "/tasks", '{"rows":"5"}', 400],
  ["POST", "/elsewhere", "{}", 404],
  ["GET", "/tasks", undefined, 405],
] as const)("%s %s with %s is answered with %i", async (method, path, body, status) => {
  expect((await ask(method, path, body)).status).toBe(status);
});

test("the demo ends with 0", async () => {
  const demo = run(commandOf("jiti", import.meta.url), ["demo.ts"], { BULLRUSH_DEMO_REDIS_URL: "" });
  expect([await demo.ended, demo.output()]).toEqual([0, expect.stringContaining("All as it should be")]);
  expect(demo.output()).toContain('"state":"SUCCESS","info":{"rows":10,"total":55}');
  expect(demo.output()).toContain('"state":"UNKNOWN"');
});
