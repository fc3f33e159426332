import { randomUUID } from "node:crypto";
import { existsSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createApp } from "@bullrush/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hangTimeout } from "../lib/hang-timeout.js";
import { long } from "../lib/long.js";
import { startWorker } from "../lib/task-worker.js";
import { startProgram } from "../lib/program.js";
import { makeProject, type Project } from "../lib/project.js";
import { redisUrl } from "../lib/redis-url.js";

/**
 * What each app has: a task that shows in which app it runs, and an entry of beat, both with a
 * value that takes some loading to be known.
 */
const application = `
  export const app = createApp({
    name: "typed",
    prefix: process.env["PREFIX"] ?? "",
    beat: { tick: { task: "probe", schedule: "20s", args: [value()] } },
  });
  app.task("probe", async () => [currentTask().name, app.tasks.has("probe"), value(), await later()].join(" "));
`;
const imports = `import { createApp, currentTask } from "@bullrush/client";\n`;

/** A module with the two functions, in the notation of ES. */
const esModule = (head: string, value: string, later = "''") => `
  ${imports}${head}
  function value(): string { return [${value}].join(" ") }
  async function later(): Promise<unknown> { return ${later} }
  ${application}`;

const tsconfig = (compilerOptions: object, others: object = {}) => JSON.stringify({ compilerOptions, ...others });
const esPackage = JSON.stringify({ type: "module" });

/** Throws an error, to show its line in the file. */
const thrower = `\n\ntype Unused = { readonly a: 1 };\nexport function where(): string {\n  return /at-line.ts:\\d+/.exec(new Error().stack ?? "")?.[0] ?? "nowhere";\n}\n`;

interface Case {
  readonly what: string;
  readonly files: Readonly<Record<string, string>>;
  /** Packages of a workspace, by their folders. */
  readonly links?: Readonly<Record<string, string>>;
  readonly app?: string;
  /** Folder in which the commands are started. */
  readonly folder?: string;
  readonly options?: string;
  readonly value: string;
  readonly later?: string;
  /**
   * Whether threads and beat load it, too. A process loads it as they do, and each start takes a
   * second of a core. Default: false.
   */
  readonly everywhere?: boolean;
}

const loaderOfUsers = pathToFileURL(createRequire(join(import.meta.dirname, "../../package.json")).resolve("tsx")).href;

const cases: readonly Case[] = [
  {
    what: "paths, through extends and a comment, baseUrl, and import() inside a task",
    everywhere: true,
    files: {
      "package.json": esPackage,
      "tsconfig.json": tsconfig({}, { extends: "./tsconfig.base.json" }),
      "tsconfig.base.json": `{ /* of all */ "compilerOptions": { "baseUrl": "src", "paths": { "@/*": ["./lib/*"] }, }, }`,
      "src/lib/math.ts": "export const two: number = 2;",
      "src/util/deep.ts": "export default 40;",
      "src/lib/heavy/index.ts": "export const heavy: number = 9;",
      "tasks.ts": esModule(
        `import { two } from "@/math";\nimport deep from "util/deep";`,
        "two, deep",
        `[(await import("@/heavy")).heavy, (await import("./src/lib/math.js")).two].join(" ")`,
      ),
    },
    value: "2 40",
    later: "9 2",
  },
  {
    what: "standard decorators, accessor, enums, TSX, JSON, and the lines of errors",
    files: {
      "package.json": esPackage,
      "tsconfig.json": tsconfig({ jsx: "react", jsxFactory: "tag" }),
      "view.tsx": "function tag(name: string): string { return name }\nexport const view = <b/>;",
      "data.json": `{ "five": 5 }`,
      "at-line.ts": thrower,
      "tasks.ts": esModule(
        `import { view } from "./view";
         import data from "./data.json";
         import { where } from "./at-line";
         const enum Colour { Red = 3 }
         function named(_: unknown, { kind, name }: DecoratorContext): void { seen.push(kind + ":" + String(name)) }
         const seen: string[] = [];
         class Held { @named method() {} @named accessor size = 7; @named field = 1; static own = () => Held.name }`,
        "...seen, new Held().size, Held.own(), view, data.five, Colour.Red, where()",
      ),
    },
    value: "method:method accessor:size field:field 7 Held b 5 3 at-line.ts:5",
  },
  {
    what: "for each file the tsconfig that is nearest to it: older decorators here, standard ones there",
    files: {
      "package.json": esPackage,
      "tsconfig.json": tsconfig({}, { files: [], references: [{ path: "./tsconfig.app.json" }] }),
      "tsconfig.app.json": tsconfig({ paths: { "#app/*": ["./no/*"], "~/*": ["./lib/*"] } }, { include: ["*.ts", "lib"] }),
      "lib/own.ts": "export const own: number = 1;",
      "old/tsconfig.json": tsconfig({ experimentalDecorators: true, paths: { "~/*": ["./inner/*"] } }),
      "old/inner/own.ts": "export const own: number = 11;",
      "old/held.ts": `
        import { own } from "~/own";
        function older(target: object, name: string): void { Object.assign(target, { [name + "Seen"]: own }) }
        export class Held { @older field: number = 1; @older method(): void {} }`,
      "tasks.ts": esModule(
        `import { own } from "~/own";
         import { Held } from "./old/held.js";
         const held = new Held() as Held & { fieldSeen: number; methodSeen: number };`,
        "own, held.fieldSeen, held.methodSeen",
      ),
    },
    value: "1 11 11",
  },
  {
    what: "CommonJS that is written with import, without a type in package.json",
    everywhere: true,
    files: {
      "package.json": "{}",
      "tsconfig.json": tsconfig({ module: "commonjs", paths: { "~/*": ["./src/*"] } }),
      "src/a.ts": `export const a: number = 1; export * from "./b"; export default class Kept { static self = (): string => Kept.name }`,
      "src/b.ts": `import fs = require("fs"); export const b = typeof fs.readFileSync;`,
      "tasks.ts": esModule(
        `import Kept, { a, b } from "~/a";\nconst client: typeof import("@bullrush/client") = require("@bullrush/client");`,
        "a, b, Kept.self(), typeof __dirname, import.meta.url.split('/').at(-1), client.createApp === createApp",
        `[(await import("~/a")).default === Kept, (await import("~/a")).b, (await import("@bullrush/client")).createApp === client.createApp].join(" ")`,
      ),
    },
    value: "1 function Kept string tasks.ts true",
    later: "true function true",
  },
  {
    what: "CommonJS that requires and says so in package.json",
    files: {
      "package.json": `{ "type": "commonjs" }`,
      "seven.ts": "const seven: number = 7;\nexport = { seven };",
      "eight.cts": "exports.eight = 8 as number;",
      "tasks.ts": `
        import client = require("@bullrush/client");
        import seven = require("./seven");
        const { eight } = require("./eight.cjs") as { eight: number };
        const { createApp, currentTask } = client;
        function value(): string { return [seven.seven, eight].join(" ") }
        async function later(): Promise<unknown> { return (await import("./seven.js")).seven }
        ${application}`,
    },
    value: "7 8",
    later: "7",
  },
  {
    what: ".mts that imports .cts, which requires",
    files: {
      "package.json": "{}",
      "six.ts": "export const six: number = 6;",
      "common.cts": `const { six } = require("./six.js"); exports.six = six; exports.client = require("@bullrush/client");`,
      "tasks.mts": esModule(
        `import { six, client } from "./common.cjs";\nconst waited: number = await Promise.resolve(10);`,
        "six, waited, client.createApp === createApp",
      ),
    },
    app: "./tasks.mts",
    value: "6 10 true",
  },
  {
    what: "-A @acme/tasks, a package of the workspace in TypeScript, with paths of its own",
    everywhere: long,
    files: {
      "package.json": `{ "workspaces": ["packages/*"] }`,
      "packages/tasks/package.json": JSON.stringify({ name: "@acme/tasks", type: "module", exports: "./src/index.ts" }),
      "packages/tasks/tsconfig.json": tsconfig({ paths: { "@/*": ["./src/*"] } }),
      "packages/tasks/src/eight.ts": "export const eight: number = 8;",
      "packages/tasks/src/index.ts": esModule(`import { eight } from "@/eight";`, "eight", `(await import("@/eight")).eight`),
      "apps/worker/package.json": "{}",
      "apps/worker/tsconfig.json": tsconfig({ paths: { "@/*": ["./no/*"] } }),
    },
    links: { "@acme/tasks": "packages/tasks" },
    folder: "apps/worker",
    app: "@acme/tasks:app",
    value: "8",
    later: "8",
  },
  {
    what: "-A @acme/tasks, a package of the workspace in JavaScript",
    files: {
      "packages/tasks/package.json": JSON.stringify({ name: "@acme/tasks", main: "lib/main.js" }),
      "packages/tasks/lib/main.js": `
        const { createApp, currentTask } = require("@bullrush/client");
        const value = () => "plain";
        const later = async () => "js";
        ${application.replace("export const app", "const app = (exports.app")}`.replace(/^ {2}\}\);$/m, "  }));"),
    },
    links: { "@acme/tasks": "packages/tasks" },
    app: "@acme/tasks",
    value: "plain",
    later: "js",
  },
  {
    what: "a module that uses a package of the workspace which has the app",
    files: {
      "package.json": esPackage,
      "tsconfig.json": tsconfig({ paths: { "@/*": ["./mine/*"] } }),
      "mine/own.ts": "export const own: number = 1;",
      "packages/tasks/package.json": JSON.stringify({ name: "@acme/tasks", type: "module", main: "./src/index.js" }),
      "packages/tasks/tsconfig.json": tsconfig({ paths: { "@/*": ["./src/*"] } }),
      "packages/tasks/src/own.ts": "export const own: number = 2;",
      "packages/tasks/src/index.ts": esModule(`import { own } from "@/own";`, "own"),
      "tasks.ts": `import { own } from "@/own"; export { app } from "@acme/tasks"; import { app } from "@acme/tasks"; app.task("other", () => own);`,
    },
    links: { "@acme/tasks": "packages/tasks" },
    value: "2",
  },
  {
    what: "by the loader that the process was started with",
    everywhere: long,
    files: {
      "package.json": esPackage,
      "own.ts": "export const own: number = 1;",
      "tasks.ts": esModule(`import { own } from "./own";`, "own", `(await import("./own.js")).own`),
    },
    options: `--import ${loaderOfUsers}`,
    value: "1",
    later: "1",
  },
];

const taskBeat = fileURLToPath(new URL("../../packages/beat/bin/task-beat.js", import.meta.url));

describe.each(cases)(
  "$what",
  ({ files, links = {}, app = "./tasks.ts", folder = ".", options = "", value, later = "", everywhere = false }) => {
    let project: Project;
    const environment = { NODE_OPTIONS: options };

    beforeAll(() => {
      project = makeProject({ ...files, "node_modules/@acme/README": "" });
      for (const [name, target] of Object.entries(links))
        symlinkSync(join(project.directory, target), join(project.directory, "node_modules", name));
    });

    afterAll(() => project[Symbol.dispose]());

    // The worker of a pool of runners loads the app too: what runs inline besides differs where a
    // task imports.
    const inline = later !== "" && (everywhere || long) ? ["inline"] : [];
    it.each([...inline, "processes", ...(everywhere ? ["threads"] : [])])("%s", async (pool) => {
      const prefix = `typescript-${randomUUID()}`;
      await using client = createApp({ broker: redisUrl(), prefix });
      await using worker = startWorker({
        app,
        args: ["-P", pool, "-c", "1"],
        cwd: join(project.directory, folder),
        env: { ...environment, PREFIX: prefix },
      });
      const probe = await client.sendTask<string>("probe");
      expect(await probe.get({ timeout: hangTimeout })).toBe(`probe true ${value} ${later}`);
      expect(await worker.stop()).toEqual({ code: 0, signal: null });
      expect(worker.errors).toEqual([]);
      // The loader of that case is not there in the threads of every Node.
      if (options !== "" && pool === "threads") return;
      const compiled = options === "" && !("packages/tasks/lib/main.js" in files);
      expect(existsSync(join(project.directory, "node_modules/.cache/bullrush"))).toBe(compiled);
    });

    it.runIf(everywhere)("beat", async () => {
      await using beat = startProgram({
        file: taskBeat,
        args: ["-A", app, "--dry-run", "--for", "1m", "--json", "--show-args"],
        cwd: join(project.directory, folder),
        env: { ...environment, BULLRUSH_BROKER_URL: redisUrl(), PREFIX: `typescript-${randomUUID()}` },
      });
      expect(await beat.waitForEntry({ entry: "tick" })).toMatchObject({ task: "probe", args: [value] });
      expect(await beat.exit).toEqual({ code: 0, signal: null });
      expect(beat.errors).toEqual([]);
    });
  },
);
