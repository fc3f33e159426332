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

describe("where the app is found", () => {
  const everywhere = {
    "given.ts": `export const app = ${app("-A")}`,
    "environment.ts": `export const app = ${app("BULLRUSH_APP")}`,
    "package.json": `{ "bullrush": { "app": "package.ts" } }`,
    "package.ts": `export const app = ${app("package.json")}`,
    "bullrush.config.ts": `export const app = ${app("bullrush.config.ts")}`,
    "tasks.ts": `export const app = ${app("tasks.ts")}`,
  };

  it("several places: -A, then BULLRUSH_APP, then package.json, then bullrush.config.*, then tasks.*", async () => {
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

  it.each(["bullrush.config", "tasks"])("%s: .ts comes before .mts", async (name) => {
    write({ [`${name}.mts`]: `export const app = ${app("mts")}` });
    expect(await labelOf()).toBe("mts");
    write({ [`${name}.ts`]: `export const app = ${app("ts")}` });
    expect(await labelOf()).toBe("ts");
  });

  it("empty BULLRUSH_APP: ignored", async () => {
    write({ "tasks.ts": `export const app = ${app("tasks")}` });
    expect(await labelOf(undefined, { BULLRUSH_APP: "" })).toBe("tasks");
  });

  it("package.json without bullrush.app, or invalid: ignored", async () => {
    write({ "tasks.mts": `export const app = ${app("tasks")}`, "package.json": `{ "name": "mine" }` });
    expect(await labelOf()).toBe("tasks");
    write({ "package.json": "{" });
    expect(await labelOf()).toBe("tasks");
  });

  it("bullrush.app that is no path: refused with its value", async () => {
    write({ "package.json": `{ "bullrush": { "app": 5 } }` });
    await expect(labelOf()).rejects.toThrow(notFound("no app in package.json: bullrush.app is 5; expected the path of a module"));
  });
});

describe("reference to a module", () => {
  it.each(["my/app.ts", "./my/app.ts", "my/app", "my/../my/app"])("%s: found", async (reference) => {
    write({ "my/app.ts": `export const app = ${app("mine")}` });
    expect(await labelOf(reference)).toBe("mine");
    expect(await labelOf(`${reference}:app`)).toBe("mine");
    expect(await labelOf(join(directory, reference))).toBe("mine");
  });

  it("directory with an index: found, after a file of that name", async () => {
    write({ "my/index.ts": `export const app = ${app("index")}` });
    expect(await labelOf("my")).toBe("index");
    expect(await labelOf("./my/")).toBe("index");
    write({ "my.ts": `export const app = ${app("file")}` });
    expect(await labelOf("my")).toBe("file");
  });

  it("colon in the file's name: found", async () => {
    write({ "my:app.ts": `export const app = ${app("colon")}` });
    expect(await labelOf("my:app.ts")).toBe("colon");
  });

  it.each(["./nowhere", "nowhere.ts", "", "./my"])("%j, which does not exist: refused", async (reference) => {
    mkdirSync(join(directory, "my"));
    await expect(labelOf(reference)).rejects.toThrow(notFound(`no app in "${reference}": there is no such file in ${directory}`));
  });

  it.each(["loop.ts", `${"long".repeat(100)}.ts`])("%j, which cannot be read: refused", async (reference) => {
    symlinkSync("loop.ts", join(directory, "loop.ts"));
    await expect(labelOf(reference)).rejects.toThrow(notFound(`no app in "${reference}": there is no such file in ${directory}`));
  });

  it.each(["nowhere", "nowhere:app", "my", "@acme/none", "@acme/none/sub:app"])(
    "%j, neither a file nor a package: refused",
    async (reference) => {
      mkdirSync(join(directory, "my"));
      const module = reference.replace(":app", "");
      await expect(labelOf(reference)).rejects.toThrow(
        notFound(`no app in "${module}": there is no such file, and no such package, in ${directory}`),
      );
    },
  );
});

describe("reference to a package", () => {
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
  ])("workspace package: found by %s", async (_, fields, reference) => {
    const text = `export const app = ${app("package")}`;
    write({ [`${home}/package.json`]: manifest(fields), [`${home}/src/a.ts`]: text, [`${home}/src/index.ts`]: text });
    expect(await labelOf(reference)).toBe("package");
  });

  it("from within the package, and in BULLRUSH_APP: found", async () => {
    write({ "package.json": manifest({ exports: "./a.ts" }), "a.ts": `export const app = ${app("own")}` });
    rmSync(join(directory, "node_modules"), { recursive: true });
    expect(await labelOf(undefined, { BULLRUSH_APP: "@acme/tasks" })).toBe("own");
  });

  it("file of the same name: the file wins", async () => {
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
  ])("package.json %j, reference %s: refused with the reason", async (fields, reference, reason) => {
    write({ [`${home}/package.json`]: manifest(fields) });
    await expect(labelOf(reference)).rejects.toThrow(notFound(`no app in "${reference}": ${reason}`));
  });
});

describe("export of the module", () => {
  it("several exports: the named one, else app, else the default", async () => {
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
  ])("CommonJS in TypeScript: %s", async (_, text) => {
    write({ "tasks.cts": text });
    expect(await labelOf("tasks.cts")).toBe("x");
  });

  it("export that is no app: refused with the module's exports", async () => {
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

describe("module that cannot be loaded", () => {
  it.each([
    { text: "export const app = ;", says: 'SyntaxError: Unexpected ";" (tasks.ts:1:20)' },
    { text: `import "not-installed";`, says: "Cannot find module 'not-installed' (tasks.ts)" },
    { text: "\n\nthrow new TypeError('bad\\nly');", says: "TypeError: bad (tasks.ts:3)" },
    { text: "throw new Error();", says: "Error (tasks.ts:1)" },
    { text: "throw 'words';", says: 'it throws "words"' },
    { text: "throw null;", says: "it throws null" },
  ])("the error says why: $says", async ({ text, says }) => {
    write({ "tasks.ts": text });
    await expect(labelOf()).rejects.toThrow(notFound(`no app in "tasks.ts": loading it failed: ${says}`));
  });

  it.each([
    { text: `{ "extends": "./none.json" }`, says: "File './none.json' not found." },
    { text: `{ "compilerOptions": { "jsx": 7 } }`, says: expect.any(String) as string },
  ])("the error names the unreadable tsconfig: $text", async ({ text, says }) => {
    write({ "tasks.ts": `export const app = ${app("tasks.ts")}`, "tsconfig.json": text });
    const start = `no app in "tasks.ts": loading it failed: the tsconfig.json for ${join(directory, "tasks.ts")} cannot be read: `;
    const error = (await labelOf().catch((error: unknown) => error)) as Error;
    expect(error.message.slice(0, start.length)).toBe(start);
    expect(error.message.slice(start.length)).toEqual(says);
  });

  it("the error names the imported file that failed, and keeps the cause", async () => {
    write({ "tasks.ts": `import "./lib/deep.js";`, "lib/deep.ts": "\nthrow new Error('deep');" });
    const error: unknown = await labelOf().catch((error: unknown) => error);
    expect(error).toEqual(notFound('no app in "tasks.ts": loading it failed: deep (lib/deep.ts:2)'));
    expect((error as Error).cause).toBe("deep");
  });
});
