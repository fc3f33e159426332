import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createApp } from "@bullrush/client";
import { expect, it } from "vitest";
import { hangTimeout } from "../lib/hang-timeout.js";
import { startWorker } from "../lib/task-worker.js";
import { makeProject } from "../lib/project.js";
import { redisUrl } from "../lib/redis-url.js";

/**
 * A module in the notation of ES, with a task that shows that it runs in the worker's own copy of
 * the client.
 */
function esModule(exported: string, value = "0", head = ""): string {
  return `
    import { createApp, currentTask } from "@bullrush/client";
    ${head}
    const application = createApp({ name: "found", prefix: process.env.PREFIX });
    application.task("probe", () => currentTask().name + "=" + ${value});
    ${exported};
  `;
}

const commonJs = (exported: string) => `
  const { createApp, currentTask } = require("@bullrush/client");
  const application = createApp({ name: "found", prefix: process.env.PREFIX });
  application.task("probe", () => currentTask().name + "=0");
  ${exported};
`;

const typed = `
  import type { App } from "@bullrush/client";
  import { Colour, type Shade } from "./colour.js";
  import { numbers } from "./numbers.ts";
  interface Pair<T> { readonly first: T; readonly second: T }
  declare const nothing: unique symbol;
  abstract class Base { constructor(protected readonly value: number) {} abstract get(): number }
  class Sum extends Base { get(): number { return this.value as number } }
  namespace Inner { export const four = 4 }
  const shade: Shade = { colour: Colour.Green };
  const pair = { first: shade.colour, second: numbers[0]! } satisfies Pair<number>;
`;

const projects = [
  {
    what: "-A tasks.ts, with all of TypeScript, and modules below it in both notations",
    files: {
      "tasks.ts": esModule("export const app: App = application", "(new Sum(pair.first + pair.second).get() + Inner.four)", typed),
      "colour.ts": "export enum Colour { Red, Green = 10 }\nexport interface Shade { colour: Colour }",
      "numbers.ts": "export const numbers: readonly number[] = [100];",
    },
    start: { app: "tasks.ts" },
    value: "114",
  },
  {
    what: "-A lib/app.mts:worker, a named export",
    files: { "lib/app.mts": esModule("export const worker = application, app = 5") },
    start: { app: "lib/app.mts:worker" },
  },
  { what: "-A app, without the extension .cjs", files: { "app.cjs": commonJs("exports.app = application") }, start: { app: "app" } },
  {
    what: "-A app.cjs, which exports nothing else",
    files: { "app.cjs": commonJs("module.exports = application") },
    start: { app: "app.cjs" },
  },
  {
    what: "-A app.cts, which requires",
    files: { "app.cts": commonJs("module.exports = { app: application as object }") },
    start: { app: "app.cts" },
  },
  { what: "-A app.ts, a default export", files: { "app.ts": esModule("export default application") }, start: { app: "app.ts" } },
  {
    what: "BULLRUSH_APP, which imports in .cts",
    files: { "app.cts": esModule("export const app = application") },
    start: { env: { BULLRUSH_APP: "app.cts" } },
  },
  {
    what: "bullrush.app in package.json, a directory with index.ts",
    files: {
      "package.json": `{ "type": "module", "bullrush": { "app": "./src" } }`,
      "src/index.ts": esModule("export const app = application"),
    },
    start: {},
  },
  { what: "bullrush.config.mjs", files: { "bullrush.config.mjs": esModule("export const app = application") }, start: {} },
  {
    what: "tasks.js, an ES module",
    files: { "package.json": `{ "type": "module" }`, "tasks.js": esModule("export default application") },
    start: {},
  },
  {
    what: "tasks.js, in CommonJS as compiled from TypeScript",
    files: { "tasks.js": commonJs("exports.__esModule = true; exports.default = application") },
    start: {},
  },
];

it.each(projects)("$what", async ({ files, start, value = "0" }) => {
  const prefix = `discovery-${randomUUID()}`;
  using project = makeProject(files);
  await using app = createApp({ broker: redisUrl(), prefix });
  await using worker = startWorker({ ...start, cwd: project.directory, env: { PREFIX: prefix, ...start.env } });
  const probe = await app.sendTask<string>("probe");
  expect(await probe.get({ timeout: hangTimeout })).toBe(`probe=${value}`);
  expect(await worker.waitForEntry({ msg: "starting" })).toMatchObject({ app: "found", tasks: ["probe"] });
  expect(worker.errors).toEqual([]);
  expect(await worker.stop()).toEqual({ code: 0, signal: null });
  // Compiled modules stay in the project, out of reach of other users.
  const hasTypeScript = Object.keys(files).some((file) => /\.[cm]?ts$/.test(file));
  expect(existsSync(join(project.directory, "node_modules", ".cache", "bullrush"))).toBe(hasTypeScript);
});
