import { randomUUID } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { SourceMap, type SourceMapPayload } from "node:module";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createApp } from "@bullrush/client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { attach, type Debugger, type Facts } from "../lib/debugger.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { startWorker, taskWorker } from "../lib/task-worker.js";
import { startProgram } from "../lib/program.js";
import { makeProject, type Project } from "../lib/project.js";
import { redisUrl } from "../lib/redis-url.js";

/** Its fifth line is where to stop. */
const tasks = `import { createApp } from "@bullrush/client";
interface Unused { readonly a: 1 }
export const app = createApp({ name: "debugged", prefix: process.env["PREFIX"] ?? "" });
export const probe = app.task("probe", (a: number, b: number): number => {
  const sum: number = a + b;
  return sum;
});
`;
const line = 5;

let project: Project;
let file: string;

beforeAll(() => {
  project = makeProject({ "package.json": `{ "type": "module" }`, "tasks.ts": tasks });
  file = pathToFileURL(join(project.directory, "tasks.ts")).href;
});

afterAll(() => project[Symbol.dispose]());

function start(args: readonly string[], prefix: string) {
  return startWorker({ app: "./tasks.ts", args, cwd: project.directory, env: { PREFIX: prefix } });
}

/** A free port whose successor is free too. */
async function freePort(): Promise<number> {
  for (;;) {
    const first = createServer();
    await once(first.listen(0, "127.0.0.1"), "listening");
    const { port } = first.address() as AddressInfo;
    const second = createServer();
    const free = await new Promise<boolean>((resolve) => {
      second.once("error", () => resolve(false)).listen(port + 1, "127.0.0.1", () => resolve(true));
    });
    for (const server of [first, second]) server.close();
    if (free) return port;
  }
}

/**
 * Stops at the line of the TypeScript, as editors do: by the source map of the script of that URL.
 * Resolves to what tells where it has stopped.
 */
async function breakAt(session: Pick<Debugger, "post" | "on">): Promise<() => Promise<{ readonly script: string; readonly line: number }>> {
  const scripts = new Map<unknown, { readonly url: unknown; readonly map: SourceMap | undefined }>();
  const heard = new EventEmitter();
  session.on("Debugger.scriptParsed", ({ scriptId, url, sourceMapURL }) => {
    scripts.set(scriptId, { url, map: mapOf(sourceMapURL) });
    heard.emit("script");
  });
  session.on("Debugger.paused", (params) => heard.emit("paused", params));
  const paused = once(heard, "paused") as Promise<[Facts]>;
  await session.post("Debugger.enable");
  let map: SourceMap | undefined;
  while ((map = [...scripts.values()].find(({ url }) => url === file)?.map) === undefined) await once(heard, "script");
  const { lineNumber } = lineOf(map);
  const { locations } = await session.post("Debugger.setBreakpointByUrl", { url: file, lineNumber });
  expect(locations).toHaveLength(1);
  return async () => {
    const [{ callFrames }] = await paused;
    const [frame] = callFrames as readonly {
      readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber: number };
    }[];
    if (frame === undefined) throw new Error("it has stopped nowhere");
    const { scriptId, lineNumber, columnNumber } = frame.location;
    const entry = scripts.get(scriptId)?.map?.findEntry(lineNumber, columnNumber);
    if (entry === undefined || !("originalSource" in entry)) throw new Error("it has stopped in no TypeScript");
    return { script: entry.originalSource, line: entry.originalLine + 1 };
  };
}

function mapOf(url: unknown): SourceMap | undefined {
  const [, data] = /^data:application\/json;base64,(.*)$/.exec(String(url)) ?? [];
  return data === undefined ? undefined : new SourceMap(JSON.parse(Buffer.from(data, "base64").toString("utf8")) as SourceMapPayload);
}

/** The line of the JavaScript, from 0, that begins with what the line to stop at has. */
function lineOf(map: SourceMap): { readonly lineNumber: number } {
  for (let lineNumber = 0; lineNumber < 1000; lineNumber++) {
    for (let column = 0; column < 20; column++) {
      const entry = map.findEntry(lineNumber, column);
      if ("originalLine" in entry && entry.originalLine === line - 1 && entry.generatedLine === lineNumber) return { lineNumber };
    }
  }
  throw new Error(`no JavaScript is of line ${line}`);
}

/**
 * The debugger of the only thread of `session`'s process that has loaded the file: threads are
 * reached through their process.
 */
async function threadOf(session: Debugger): Promise<Pick<Debugger, "post" | "on">> {
  const events = new EventEmitter();
  let last = 0;
  session.on("NodeWorker.receivedMessageFromWorker", ({ sessionId, message }) => {
    const { id, method, result, params } = JSON.parse(String(message)) as Record<"result" | "params", Facts> & {
      readonly id?: number;
      readonly method: string;
    };
    events.emit(`${String(sessionId)} ${id === undefined ? method : `answer ${id}`}`, id === undefined ? params : result);
  });
  const found = new Promise<string>((resolve) => {
    session.on("NodeWorker.attachedToWorker", ({ sessionId }) => {
      events.on(`${String(sessionId)} Debugger.scriptParsed`, ({ url }: Facts) => {
        if (url === file) resolve(String(sessionId));
      });
      void post(String(sessionId), "Debugger.enable");
    });
  });
  await session.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
  const thread = await found;
  await post(thread, "Debugger.disable");
  return { on: (event, hear) => void events.on(`${thread} ${event}`, hear), post: (method, params) => post(thread, method, params) };

  async function post(sessionId: string, method: string, params: Facts = {}): Promise<Facts> {
    const id = ++last;
    const answer = once(events, `${sessionId} answer ${id}`);
    await session.post("NodeWorker.sendMessageToWorker", { sessionId, message: JSON.stringify({ id, method, params }) });
    const [result] = (await answer) as [Facts];
    return result;
  }
}

describe("a breakpoint in TypeScript stops the task", () => {
  it.each(["inline", "processes", "threads"])("%s", async (pool) => {
    const prefix = `debugging-${randomUUID()}`;
    const port = await freePort();
    await using app = createApp({ broker: redisUrl(), prefix });
    await using worker = start([`--inspect=${port}`, "-P", pool, "-c", "1"], prefix);
    await worker.ready;
    const address = `127.0.0.1:${pool === "processes" ? port + 1 : port}`;
    if (pool === "processes") {
      expect(await worker.waitForEntry({ msg: "runner started" })).toMatchObject({ debugger: address });
      await worker.waitFor(`Debugger listening on ws://${address}/`);
    }
    using session = await attach(address);
    const target = pool === "threads" ? await threadOf(session) : session;
    const stopped = await breakAt(target);
    const sum = await app.sendTask<number>("probe", [1, 2]);
    expect(await stopped()).toEqual({ script: file, line });
    await target.post("Debugger.resume");
    expect(await sum.get({ timeout: hangTimeout })).toBe(3);
    if (pool === "threads") await session.post("NodeWorker.disable");
    session[Symbol.dispose]();
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
  });
});

it("a worker whose Node was started for a debugger has the processes of its pool listen, too", async () => {
  const prefix = `debugging-${randomUUID()}`;
  const port = await freePort();
  await using worker = startProgram({
    file: `--inspect=${port}`,
    args: [taskWorker, "-A", "./tasks.ts", "-P", "processes", "-c", "1", "--log-format", "json"],
    cwd: project.directory,
    env: { BULLRUSH_BROKER_URL: redisUrl(), PREFIX: prefix },
  });
  expect(await worker.waitForEntry({ msg: "runner started" })).toMatchObject({ debugger: `127.0.0.1:${port + 1}` });
  await worker.waitForEntry({ msg: "ready" });
  expect(await worker.stop()).toEqual({ code: 0, signal: null });
});

it("--inspect-brk waits for a debugger before it loads the app", async () => {
  const prefix = `debugging-${randomUUID()}`;
  const port = await freePort();
  await using worker = start([`--inspect-brk=127.0.0.1:${port}`], prefix);
  await worker.waitFor("Debugger listening on");
  {
    using session = await attach(`127.0.0.1:${port}`);
    await session.post("Debugger.enable");
    expect(worker.entries).toEqual([]);
    await session.post("Runtime.runIfWaitingForDebugger");
    await worker.ready;
  }
  expect(await worker.stop()).toEqual({ code: 0, signal: null });
});

it("--inspect on a used port: an error, and nothing starts", async () => {
  const taken = createServer();
  await once(taken.listen(0, "127.0.0.1"), "listening");
  const { port } = taken.address() as AddressInfo;
  try {
    await using worker = start([`--inspect=${port}`], "debugging");
    expect(await worker.exit).toEqual({ code: 2, signal: null });
    expect(worker.errors.at(-1)).toBe(`task-worker: --inspect: 127.0.0.1:${port} cannot be listened on; is the port taken?`);
  } finally {
    taken.close();
  }
});

it("a process of the pool gets the port of the one that has ended", async () => {
  const prefix = `debugging-${randomUUID()}`;
  const port = await freePort();
  await using app = createApp({ broker: redisUrl(), prefix });
  await using worker = start([`--inspect=${port}`, "-P", "processes", "-c", "1", "--max-tasks-per-child", "1"], prefix);
  await worker.ready;
  for (let round = 0; round < 3; round++)
    expect(await (await app.sendTask<number>("probe", [round, 1])).get({ timeout: hangTimeout })).toBe(round + 1);
  const ports = worker.entries.flatMap(({ msg, debugger: address }) => (msg === "runner started" ? [address] : []));
  expect(new Set(ports).size).toBeLessThanOrEqual(2);
  expect(ports).toContain(`127.0.0.1:${port + 1}`);
  expect(await worker.stop()).toEqual({ code: 0, signal: null });
});
