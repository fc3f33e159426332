import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { createApp } from "@bullrush/client";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "../lib/eventually.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { taskWorker } from "../lib/task-worker.js";
import { redisUrl } from "../lib/redis-url.js";

const fixture = fileURLToPath(new URL("fixtures/tasks.ts", import.meta.url));

/** util-linux's way to run a command in a terminal of its own. */
const script = "/usr/bin/script";
const hasTerminals = process.platform === "linux" && existsSync(script);
if (!hasTerminals) console.log(`skipped: a terminal that is closed, because there is no ${script} of util-linux`);

describe.skipIf(!hasTerminals)("task-worker in a terminal that is closed", () => {
  it.each(["json", "pretty"])("finishes what runs, with lines that are %s", async (format) => {
    const prefix = `terminal-${randomUUID()}`;
    await using app = createApp({ broker: redisUrl(), prefix, queues: ["one"], defaultQueue: "one" });
    const command = `exec '${process.execPath}' '${taskWorker}' -A '${fixture}' --log-format ${format}`;
    const env = { ...process.env, BULLRUSH_BROKER_URL: redisUrl(), FIXTURE_PREFIX: prefix, FIXTURE_QUEUES: "one", FIXTURE_HOLD: "2000" };
    const terminal = spawn(script, ["-qfc", command, "/dev/null"], { env, stdio: ["ignore", "pipe", "ignore"] });
    onTestFinished(() => void terminal.kill("SIGKILL"));
    let shown = "";
    terminal.stdout.on("data", (text) => (shown += String(text)));
    let pid: string | undefined;
    await eventually("the worker has begun", () => {
      // The only child of a process that waits for it.
      [pid] = readFileSync(`/proc/${terminal.pid}/task/${terminal.pid}/children`, "utf8").split(" ");
      return /ready/.test(shown) && pid !== "";
    });
    const begun = await app.sendTask("fixture.hold");
    await eventually("the task runs", () => shown.includes("holding"));
    terminal.kill("SIGKILL");
    await begun.get({ timeout: hangTimeout });
    expect(await begun.status()).toBe("SUCCESS");
    await eventually("the worker has ended", () => !existsSync(`/proc/${pid}`));
  });
});
