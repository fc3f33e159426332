import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

let directory: string;
let finder: ChildProcess;

beforeAll(() => {
  finder = fork(fileURLToPath(new URL("./discovering.mjs", import.meta.url)), { execArgv: ["--conditions=@acme/source"] });
});

afterAll(async () => {
  const exit = once(finder, "exit");
  finder.kill();
  await exit;
});

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "bullrush-discovery-")));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
}

/** What makes an app one, with a label to know it by. */
function app(label: string): string {
  return `{ [Symbol.for("bullrush.app")]: true, label: "${label}" }`;
}

async function labelOf(reference?: string, environment: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const answer = once(finder, "message");
  finder.send({ reference, directory, environment });
  const [{ label, code, message, cause }] = (await answer) as [Readonly<Record<string, string>>];
  if (label === undefined) throw Object.assign(new Error(message, { cause }), { code });
  return label;
}

function notFound(message: string): object {
  return expect.objectContaining({ code: "APP_NOT_FOUND", message }) as object;
}

describe("where the app is looked for", () => {
  const everywhere = {
    "given.ts": `export const app = ${app("-A")}`,
    "environment.ts": `export const app = ${app("BULLRUSH_APP")}`,
    "package.json": `{ "bullrush": { "app": "package.ts" } }`,
    "package.ts": `export const app = ${app("package.json")}`,
    "bullrush.config.ts": `export const app = ${app("bullrush.config.ts")}`,
    "tasks.ts": `export const app = ${app("tasks.ts")}`,
  };

  it("is -A, then BULLRUSH_APP, then package.json, then bullrush.config.*, then tasks.*", async () => {
    write(everywhere);
    const environment = { BULLRUSH_APP: "environment.ts" };
    expect(await labelOf("given.ts", environment)).toBe("-A");
    expect(await labelOf(undefined, environment)).toBe("BULLRUSH_APP");
    expect(await labelOf()).toBe("package.json");
    rmSync(join(directory, "package.json"));
    expect(await labelOf()).toBe("bullrush.config.ts");
    rmSync(join(directory, "bullrush.config.ts"));
    expect(await labelOf()).toBe("tasks.ts");
    rmSync(join(directory, "tasks.ts"));
    await expect(labelOf()).rejects.toThrow(
      notFound(
        `no app in ${directory}: name a module with -A, BULLRUSH_APP or bullrush.app in package.json, or write tasks.ts or bullrush.config.ts there`,
      ),
    );
  });

  it.each(["bullrush.config", "tasks"])("takes %s with .ts before .mts", async (name) => {
    write({ [`${name}.mts`]: `export const app = ${app("mts")}` });
    expect(await labelOf()).toBe("mts");
    write({ [`${name}.ts`]: `export const app = ${app("ts")}` });
    expect(await labelOf()).toBe("ts");
  });

  it("takes an empty BULLRUSH_APP for none", async () => {
    write({ "tasks.ts": `export const app = ${app("tasks")}` });
    expect(await labelOf(undefined, { BULLRUSH_APP: "" })).toBe("tasks");
  });

  it("takes a package.json without bullrush.app, or without sense, for none", async () => {
    write({ "tasks.mts": `export const app = ${app("tasks")}`, "package.json": `{ "name": "mine" }` });
    expect(await labelOf()).toBe("tasks");
    write({ "package.json": "{" });
    expect(await labelOf()).toBe("tasks");
  });

  it("says that bullrush.app is no path", async () => {
    write({ "package.json": `{ "bullrush": { "app": 5 } }` });
    await expect(labelOf()).rejects.toThrow(notFound("no app in package.json: bullrush.app is 5; expected the path of a module"));
  });
});

describe("the module", () => {
  it.each(["my/app.ts", "./my/app.ts", "my/app", "my/../my/app"])("may be written %s", async (reference) => {
    write({ "my/app.ts": `export const app = ${app("mine")}` });
    expect(await labelOf(reference)).toBe("mine");
    expect(await labelOf(`${reference}:app`)).toBe("mine");
    expect(await labelOf(join(directory, reference))).toBe("mine");
  });

  it("may be a directory with an index", async () => {
    write({ "my/index.ts": `export const app = ${app("index")}` });
    expect(await labelOf("my")).toBe("index");
    expect(await labelOf("./my/")).toBe("index");
    write({ "my.ts": `export const app = ${app("file")}` });
    expect(await labelOf("my")).toBe("file");
  });

  it("may have a colon in its name", async () => {
    write({ "my:app.ts": `export const app = ${app("colon")}` });
    expect(await labelOf("my:app.ts")).toBe("colon");
  });

  it.each(["./nowhere", "nowhere.ts", "", "./my"])("has to be there: %j", async (reference) => {
    mkdirSync(join(directory, "my"));
    await expect(labelOf(reference)).rejects.toThrow(notFound(`no app in "${reference}": there is no such file in ${directory}`));
  });

  it.each(["loop.ts", `${"long".repeat(100)}.ts`])("has to be something that can be looked at: %j", async (reference) => {
    symlinkSync("loop.ts", join(directory, "loop.ts"));
    await expect(labelOf(reference)).rejects.toThrow(notFound(`no app in "${reference}": there is no such file in ${directory}`));
  });

  it.each(["nowhere", "nowhere:app", "my", "@acme/none", "@acme/none/sub:app"])(
    "has to be there, as a file or a package: %j",
    async (reference) => {
      mkdirSync(join(directory, "my"));
      const module = reference.replace(":app", "");
      await expect(labelOf(reference)).rejects.toThrow(
        notFound(`no app in "${module}": there is no such file, and no such package, in ${directory}`),
      );
    },
  );
});

describe("a package", () => {
  const manifest = (fields: object) => JSON.stringify({ name: "@acme/tasks", ...fields });
  const home = "packages/tasks";

  beforeEach(() => {
    mkdirSync(join(directory, "node_modules/@acme"), { recursive: true });
    mkdirSync(join(directory, home), { recursive: true });
    symlinkSync(join(directory, home), join(directory, "node_modules/@acme/tasks"));
  });

  it.each([
    ["exports", { exports: "./src/a.ts" }, "@acme/tasks"],
    ["exports, by condition", { exports: { ".": { require: "./none.cjs", import: "./src/a.ts" } } }, "@acme/tasks:app"],
    ["exports, by a condition of the process", { exports: { ".": { "@acme/source": "./src/a.ts", default: "./none.js" } } }, "@acme/tasks"],
    ["a part of exports", { exports: { "./*": "./src/*.ts" } }, "@acme/tasks/a"],
    ["main", { main: "src/a.ts" }, "@acme/tasks"],
    ["main, by the name of what is compiled", { main: "./src/a.js" }, "@acme/tasks"],
    ["a folder as main", { main: "./src" }, "@acme/tasks"],
    ["a file of one without exports", {}, "@acme/tasks/src/a"],
  ])("of a workspace is found by %s", async (_, fields, reference) => {
    const text = `export const app = ${app("package")}`;
    write({ [`${home}/package.json`]: manifest(fields), [`${home}/src/a.ts`]: text, [`${home}/src/index.ts`]: text });
    expect(await labelOf(reference)).toBe("package");
  });

  it("is found from within itself, and in BULLRUSH_APP", async () => {
    write({ "package.json": manifest({ exports: "./a.ts" }), "a.ts": `export const app = ${app("own")}` });
    rmSync(join(directory, "node_modules"), { recursive: true });
    expect(await labelOf(undefined, { BULLRUSH_APP: "@acme/tasks" })).toBe("own");
  });

  it("is not looked at where there is a file of that name", async () => {
    write({
      [`${home}/package.json`]: manifest({ main: "a.ts" }),
      [`${home}/a.ts`]: `export const app = ${app("package")}`,
      "@acme/tasks.ts": `export const app = ${app("file")}`,
    });
    expect(await labelOf("@acme/tasks")).toBe("file");
  });

  it.each([
    [
      { exports: "./dist/a.js" },
      "@acme/tasks",
      "the package @acme/tasks: ./dist/a.js, which its package.json exports, is not there; is it built?",
    ],
    [{ exports: { "./a": "./a.js" } }, "@acme/tasks", "the package @acme/tasks does not export a module by its name alone"],
    [{ exports: { "./a": "./a.js" } }, "@acme/tasks/b", "the package @acme/tasks does not export ./b"],
    [
      { main: "dist/a.js" },
      "@acme/tasks",
      "the package @acme/tasks: dist/a.js, its main file by its package.json, is not there; is it built?",
    ],
    [{}, "@acme/tasks", "the package @acme/tasks has no main file"],
    [{}, "@acme/tasks/b", "the package @acme/tasks has no module ./b"],
  ])("that lacks what is meant says so: %j, %s", async (fields, reference, reason) => {
    write({ [`${home}/package.json`]: manifest(fields) });
    await expect(labelOf(reference)).rejects.toThrow(notFound(`no app in "${reference}": ${reason}`));
  });
});

describe("the export", () => {
  it("is the one named, else app, else the default", async () => {
    write({
      "all.ts": `export const other = ${app("other")}; export const app = ${app("app")}; export default ${app("default")};`,
      "fallback.ts": `export const app = 5; export default ${app("default")};`,
    });
    expect(await labelOf("all.ts:other")).toBe("other");
    expect(await labelOf("all.ts:default")).toBe("default");
    expect(await labelOf("all.ts")).toBe("app");
    expect(await labelOf("fallback.ts")).toBe("default");
  });

  it.each([
    ["exports.app", `exports.app = ${app("x")}`],
    ["module.exports", `module.exports = ${app("x")}`],
    ["module.exports.app", `module.exports = { app: ${app("x")}, add() {} }`],
    ["a compiled default", `Object.defineProperty(exports, "__esModule", { value: true }); exports.default = ${app("x")}`],
  ])("of CommonJS in TypeScript may be %s", async (_, text) => {
    write({ "tasks.cts": text });
    expect(await labelOf("tasks.cts")).toBe("x");
  });

  it("that is no app is refused with what the module does export", async () => {
    write({ "some.ts": "export const app = {}; export function add() {} export default 5;", "none.ts": "globalThis.none = 1;" });
    await expect(labelOf("some.ts")).rejects.toThrow(
      notFound('no app in "some.ts": it does not export an app (as `app` or by default); it exports add, app, default'),
    );
    await expect(labelOf("some.ts:add")).rejects.toThrow(
      notFound('no app in "some.ts": it does not export an app as "add"; it exports add, app, default'),
    );
    await expect(labelOf("some.ts:constructor")).rejects.toThrow(
      notFound('no app in "some.ts": it does not export an app as "constructor"; it exports add, app, default'),
    );
    await expect(labelOf("none.ts")).rejects.toThrow(
      notFound('no app in "none.ts": it does not export an app (as `app` or by default); it exports nothing'),
    );
  });
});

describe("a module that cannot be loaded", () => {
  it.each([
    { text: "export const app = ;", says: 'SyntaxError: Unexpected ";" (tasks.ts:1:20)' },
    { text: `import "not-installed";`, says: "Cannot find module 'not-installed' (tasks.ts)" },
    { text: "\n\nthrow new TypeError('bad\\nly');", says: "TypeError: bad (tasks.ts:3)" },
    { text: "throw new Error();", says: "Error (tasks.ts:1)" },
    { text: "throw 'words';", says: 'it throws "words"' },
    { text: "throw null;", says: "it throws null" },
  ])("says why: $says", async ({ text, says }) => {
    write({ "tasks.ts": text });
    await expect(labelOf()).rejects.toThrow(notFound(`no app in "tasks.ts": loading it failed: ${says}`));
  });

  it.each([
    { text: `{ "extends": "./none.json" }`, says: "File './none.json' not found." },
    { text: `{ "compilerOptions": { "jsx": 7 } }`, says: expect.any(String) as string },
  ])("names the tsconfig that cannot be read: $text", async ({ text, says }) => {
    write({ "tasks.ts": `export const app = ${app("tasks.ts")}`, "tsconfig.json": text });
    const start = `no app in "tasks.ts": loading it failed: the tsconfig.json for ${join(directory, "tasks.ts")} cannot be read: `;
    const error = (await labelOf().catch((error: unknown) => error)) as Error;
    expect(error.message.slice(0, start.length)).toBe(start);
    expect(error.message.slice(start.length)).toEqual(says);
  });

  it("names the file below it that is to blame, and keeps the cause", async () => {
    write({ "tasks.ts": `import "./lib/deep.js";`, "lib/deep.ts": "\nthrow new Error('deep');" });
    const error: unknown = await labelOf().catch((error: unknown) => error);
    expect(error).toEqual(notFound('no app in "tasks.ts": loading it failed: deep (lib/deep.ts:2)'));
    expect((error as Error).cause).toBe("deep");
  });
});
