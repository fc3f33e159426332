import { randomUUID } from "node:crypto";
import { createApp, type App } from "@bullrush/client";
import { describe, expect, it } from "vitest";
import { compiledFixture } from "../lib/fixture.js";
import { startWorker, taskWorker } from "../lib/task-worker.js";
import { redisUrl } from "../lib/redis-url.js";
import { hasScreens, openScreen, type Screen } from "../lib/screen.js";

const fixture = compiledFixture("fixtures/output.ts", import.meta.url);
const holding = compiledFixture("fixtures/tasks.ts", import.meta.url);

if (!hasScreens) console.log("skipped: a worker in a terminal, because PATH has no tmux");

interface Scene {
  readonly app: App;
  /** Opens a terminal with a worker. */
  open(args: readonly string[], columns?: number): Promise<Screen>;
}

function scene(module = fixture): Scene {
  const prefix = `screen-${randomUUID()}`;
  const env = { BULLRUSH_BROKER_URL: redisUrl(), FIXTURE_PREFIX: prefix, FIXTURE_QUEUES: "one", FIXTURE_HOLD: "60000" };
  return {
    app: createApp({ broker: redisUrl(), prefix, queues: ["one"], defaultQueue: "one" }),
    open: (args, columns = 100) => openScreen([process.execPath, taskWorker, "-A", module, ...args], { columns, env }),
  };
}

describe.skipIf(!hasScreens).each([["inline"], ["threads"], ["processes"]])("a terminal with a worker whose pool is %s", (pool) => {
  it("shows lines for people", async () => {
    const { app, open } = scene();
    await using _ = app;
    await using screen = await open(["-n", "workerA@%h", "-P", pool, "-c", "1"]);
    await screen.waitFor(/ready, takes from one/);
    const { id } = await app.sendTask("output.speak", ["ann"]);
    const text = await screen.waitFor(/ succeeded /);
    const task = `output.speak[${id.slice(0, 8)}]`;
    const lines = text.split("\n").map((line) =>
      line
        .replace(/^\d\d:\d\d:\d\d /, "12:00:01 ")
        .replace(/in \d+ ms/, "in 2 ms")
        .trimEnd(),
    );
    const from = lines.indexOf(`12:00:01 workerA  received   ${task} from one`);
    expect(lines.slice(from, from + 8)).toEqual([
      `12:00:01 workerA  received   ${task} from one`,
      `12:00:01 workerA  stdout     ${task} ann begins`,
      `12:00:01 workerA  stderr     ${task} ann is not sure`,
      `12:00:01 workerA  stdout     ${task} ann gößt on`,
      `12:00:01 workerA  stderr     ${task} ann has`,
      "    two lines",
      `12:00:01 workerA  stdout     ${task} ann {"level":60,"msg":"forged"} ends without an end`,
      `12:00:01 workerA  succeeded  ${task} in 2 ms`,
    ]);
    const coloured = await screen.shown({ colours: true });
    expect(coloured).toContain("\u001B[32msucceeded");
    expect(coloured).toContain("\u001B[33mstderr");
    expect(coloured).not.toContain("\u001B[31m");
    await screen.press("C-c");
    await screen.waitFor(/ stopped/);
    expect(await screen.ended()).toBe(0);
  });
});

describe.skipIf(!hasScreens)("in a terminal", () => {
  it("of 40 columns long names are clipped", async () => {
    const { app, open } = scene();
    await using _ = app;
    await using screen = await open(["-n", "a-worker-with-a-long-name@elsewhere"], 40);
    await screen.waitFor(/ready/);
    const { id } = await app.sendTask("output.log");
    await screen.waitFor(new RegExp(`a-worke…  succeeded +output.log\\[${id.slice(0, 8)}\\]`));
  });

  it("first Ctrl-C: explains the second; second Ctrl-C: stops at once", async () => {
    const { app, open } = scene(holding);
    await using _ = app;
    await using screen = await open(["-n", "w@%h"]);
    const { id } = await app.sendTask("fixture.hold");
    await screen.waitFor(/holding/);
    await screen.press("C-c");
    await screen.waitFor(/warning {2}Ctrl-C once more ends the wait: what still runs is put back at once/);
    await screen.waitFor(/stopping, waits at most 30 s for 1 running/);
    await screen.press("C-c");
    await screen.waitFor(new RegExp(`requeued +fixture.hold\\[${id.slice(0, 8)}\\]| stopped`));
    expect(await screen.ended()).toBe(0);
    expect(await app.engine.queues.counts(["one"])).toMatchObject([{ waiting: 1, active: 0 }]);
  });

  it.each([
    { keys: ["y", "Enter"], is: /purged queue=one removed=2[^]*ready/, left: 0 },
    { keys: ["n", "Enter"], is: /nothing was removed, and no worker was started/, left: 2 },
    { keys: ["Enter"], is: /nothing was removed/, left: 2 },
    { keys: ["C-c"], is: /nothing was removed/, left: 2 },
    { keys: ["C-d"], is: /nothing was removed/, left: 2 },
  ])("--purge asks; $keys", { timeout: 120_000 }, async ({ keys, is, left }) => {
    const { app, open } = scene();
    await using _ = app;
    for (const name of ["a", "b"]) await app.sendTask("output.speak", [name], { countdown: "1h" });
    await using screen = await open(["-Q", "one,two", "--purge"]);
    await screen.waitFor(/2 messages in queue one will be removed for good\. Continue\? \[y\/N\]/);
    await screen.press(...keys);
    await screen.waitFor(is);
    expect(await app.engine.queues.counts(["one"])).toMatchObject([{ delayed: left }]);
    if (left > 0) expect(await screen.ended()).toBe(1);
  });

  it("--purge asks nothing when nothing waits, or with --yes", async () => {
    const { app, open } = scene();
    await using _ = app;
    await using empty = await open(["--purge"]);
    await empty.waitFor(/ready/);
    await app.sendTask("output.speak", ["a"], { countdown: "1h" });
    await using full = await open(["--purge", "--yes"]);
    expect(await full.waitFor(/purged queue=one removed=1[^]*ready/)).not.toContain("Continue?");
  });
});

describe("without a terminal", () => {
  it("--purge without --yes removes nothing, and ends with 2 and one line", async () => {
    const { app } = scene();
    await using _ = app;
    await using worker = startWorker({ app: fixture, args: ["--purge"] });
    expect(await worker.exit).toEqual({ code: 2, signal: null });
    expect(worker.lines).toEqual([]);
    expect(worker.errors).toEqual([
      "task-worker: --purge removes waiting messages for good, and there is no terminal to ask in: add --yes, or leave it out",
    ]);
  });
});
