import { newId, type Message } from "@bullrush/broker";
import { createApp, currentTask } from "@bullrush/client";
import { pino } from "pino";
import { expect, test } from "vitest";
import type { Execution } from "../../src/execution/execution.js";
import { Stop } from "../../src/execution/stop.js";
import { RunTrace } from "../../src/execution/run-trace.js";
import { createPool } from "../../src/pool/create-pool.js";
import { compilePool } from "../../src/pool/options.js";

/** The name of the task in whose context this is called. */
function whose(): string {
  try {
    return currentTask().name;
  } catch {
    return "nobody's";
  }
}

test("what lends the slots of inline tasks is told of a wait in nobody's context, and the task goes on in its own", async () => {
  const seen: string[] = [];
  const lender = {
    wait: () => {
      seen.push(`wait: ${whose()}`);
      return { regain: async () => void seen.push(`regain: ${whose()}`) };
    },
    poll: () => {
      seen.push(`poll: ${whose()}`);
      return undefined;
    },
  };
  const app = createApp();
  const surroundings = { app, worker: "w1", log: pino({ level: "silent" }), lender: () => lender, onFailure: () => undefined };
  const pool = createPool({ ...compilePool({}), timeLimit: undefined, softTimeLimit: undefined }, surroundings);
  const id = newId();
  const message: Message = { id, task: "outer", args: [], headers: {}, priority: 0, retries: 0, rootId: id };
  const execution: Execution = {
    delivery: { id, queue: "default", number: 1, endedBefore: 0, crashes: 0, token: "t", content: { type: "message", message } },
    message,
    definition: {
      name: "outer",
      options: {},
      run: async () => {
        const context = currentTask();
        await context.onPoll?.(newId(), false, () => []);
        await context.onWait?.(() => [])?.regain();
        seen.push(`afterwards: ${whose()}`);
      },
    },
    startedAt: 0,
    storesResult: true,
    stop: new Stop(),
    trace: new RunTrace(),
  };
  expect(await pool.run(execution)).toMatchObject({ type: "succeeded" });
  expect(seen).toEqual(["poll: nobody's", "wait: nobody's", "regain: nobody's", "afterwards: outer"]);
  await app.close();
});
