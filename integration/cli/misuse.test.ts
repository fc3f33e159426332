import { describe, expect, it } from "vitest";
import { compiledFixture } from "../lib/fixture.js";
import { startWorker } from "../lib/task-worker.js";
import { makeProject } from "../lib/project.js";

const fixture = compiledFixture("fixtures/tasks.ts", import.meta.url);
const canary = "c4nary-pass";

/**
 * What it says, on one line of stderr, before it ends with code 2; nothing that it writes has the
 * password or a stack.
 */
async function refusalOf(start: Parameters<typeof startWorker>[0]): Promise<string> {
  await using worker = startWorker(start);
  const exit = await worker.exit;
  const written = [...worker.lines, ...worker.errors].join("\n");
  expect({ exit, errors: worker.errors }).toEqual({ exit: { code: 2, signal: null }, errors: [expect.any(String)] });
  expect(worker.lines).toEqual([]);
  expect(written).not.toContain(canary);
  return worker.errors[0] ?? "";
}

// Each flag's own rules are those of parseArguments(); here is one of each kind of refusal.
describe("flags", () => {
  it.each([
    { args: ["-Q", "a:b"], says: 'task-worker: "a:b" is not a queue name: it contains ":"' },
    { args: ["-X", "one,two"], says: "task-worker: queues is empty without the excluded ones" },
    { args: ["-c", "x"], says: "argument 'x' is invalid. It has to be a whole number from 1." },
    {
      args: ["--shutdown-timeout", "soon"],
      says: 'task-worker: --shutdown-timeout is "soon"; expected a duration with its unit, such as "20s"',
    },
    {
      args: ["-P", "processes", "--max-memory-per-child", "200"],
      says: 'maxMemoryPerChild is "200"; expected a size with its unit: write "200kb", as Celery reads it, or "200mb"',
    },
    { args: ["--broker", `redis://u:p/${canary}@h`], says: "in a user or a password write / as %2F" },
    { args: [`--brokr=redis://u:${canary}@h`], says: "task-worker: unknown option '--brokr=redis://***@h'" },
    { args: ["-c", `redis://u:${canary}@h`], says: "argument 'redis://***@h' is invalid" },
    { args: ["--broker", `http://u:${canary}@h`], says: 'task-worker: not a Redis URL (its scheme is "http://")' },
    { args: ["--result-backend", canary], says: "task-worker: not a Redis URL (it does not begin with a scheme such as redis://)" },
  ])("$args is refused", async ({ args, says }) => {
    expect(await refusalOf({ app: fixture, args })).toContain(says);
  });
});

describe("the module", () => {
  const client = `import { createApp } from "@bullrush/client";\n`;

  it.each([
    { app: "tasks.ts", text: "export const app = ;", says: 'SyntaxError: Unexpected ";" (tasks.ts:1:20)' },
    { app: "tasks.mjs", text: "export const app = ;", says: "SyntaxError: Unexpected token ';'" },
    { app: "tasks.cjs", text: "exports.app = ;", says: "SyntaxError: Unexpected token ';'" },
    { app: "tasks.ts", text: `import "not-installed";`, says: "Cannot find module 'not-installed' (tasks.ts)" },
    { app: "tasks.mjs", text: `import "not-installed";`, says: "Cannot find package 'not-installed' imported from " },
    { app: "tasks.ts", text: `throw new Error("no way to redis://:${canary}@h");`, says: "no way to redis://***@h (tasks.ts:1)" },
    { app: "tasks.mjs", text: "\nthrow new TypeError('bad\\nly');", says: "TypeError: bad (tasks.mjs:2)" },
    {
      app: "tasks.ts",
      text: `${client}createApp({ broker: "redis://:${canary}@h:port" });`,
      says: "not a Redis URL (its port is not a number from 1 to 65535)",
    },
    { app: "tasks.ts", text: `${client}createApp({ queus: [] });`, says: '"queus" of createApp() is unknown; expected one of ' },
  ])("$app with $text is reported", async ({ app, text, says }) => {
    using project = makeProject({ [app]: text });
    const refusal = await refusalOf({ app, cwd: project.directory });
    expect(refusal).toContain(`task-worker: no app in "${app}": loading it failed: ${says}`);
  });

  it.each(["ts", "mjs"])("that waits for ever is reported (.%s)", async (extension) => {
    using project = makeProject({ [`tasks.${extension}`]: "await new Promise(() => {});" });
    const refusal = await refusalOf({ cwd: project.directory });
    expect(refusal).toBe(`task-worker: no app in "tasks.${extension}": it awaits something, at its top level, that never comes`);
  });

  it("that is not there is reported", async () => {
    using project = makeProject({});
    expect(await refusalOf({ app: "nowhere", cwd: project.directory })).toBe(
      `task-worker: no app in "nowhere": there is no such file, and no such package, in ${project.directory}`,
    );
    expect(await refusalOf({ cwd: project.directory })).toContain(`task-worker: no app in ${project.directory}: name a module with -A`);
  });

  it.each([
    { app: "tasks.ts", text: "export const add = 1; export default {};" },
    { app: "tasks.mjs", text: "export const add = 1; export default {};" },
    { app: "tasks.cjs", text: "module.exports = { add: 1, default: {} };" },
    { app: "tasks.js", text: "module.exports = { add: 1, default: {} };" },
  ])("$app without an app is reported with what it does export", async ({ app, text }) => {
    using project = makeProject({ [app]: text });
    const refusal = await refusalOf({ app: `${app}:celery`, cwd: project.directory });
    expect(refusal).toBe(`task-worker: no app in "${app}": it does not export an app as "celery"; it exports add, default`);
  });
});

describe("words", () => {
  it.each([
    { flag: "--help", says: /^Usage: task-worker/ },
    { flag: "--version", says: /^\d+\.\d+\.\d+/ },
  ])("$flag is answered on stdout", async ({ flag, says }) => {
    await using worker = startWorker({ args: [flag] });
    expect(await worker.exit).toEqual({ code: 0, signal: null });
    expect(worker.errors).toEqual([]);
    expect(worker.lines[0]).toMatch(says);
  });
});
