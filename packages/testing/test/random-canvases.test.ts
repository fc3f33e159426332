import { createApp, TimeoutError, type CanvasData } from "@bullrush/client";
import { expect, onTestFinished, test } from "vitest";
import { evaluate, type Functions } from "../../client/test/canvas/evaluate.js";
import { randomCanvas, randomFrom } from "../../client/test/canvas/random-canvas.js";
import { eager } from "../src/index.js";

/** The tasks of random canvases. They write down their names. */
function functionsOf(calls: string[]): Functions {
  return {
    list: (...args) => {
      calls.push("list");
      return args;
    },
    fail: () => {
      calls.push("fail");
      throw new Error("failed");
    },
  };
}

async function outcomeOf(get: () => unknown): Promise<unknown> {
  try {
    return { value: await get() };
  } catch (error) {
    if (error instanceof TimeoutError) throw error;
    return "failed";
  }
}

test.each([1, 2, 3])("random canvases, eager: each call has run once, and their values are there (seed %i)", async (seed) => {
  const app = createApp({ broker: "redis://127.0.0.1:1/0" });
  const actual: string[] = [];
  for (const [name, run] of Object.entries(functionsOf(actual))) app.task(name, (...args: unknown[]) => run(...args) as never);
  const mode = eager(app);
  onTestFinished(() => mode.restore());
  const random = randomFrom(seed);
  for (let round = 0; round < 40; round++) {
    const data: CanvasData = randomCanvas(random, 1 + (round % 3));
    const expected: string[] = [];
    const outcome = await outcomeOf(() => evaluate(data, functionsOf(expected)));
    const result = await app.canvas(data).delay();
    const ran = actual.splice(0).toSorted();
    expect({ ran, data }).toEqual({ ran: expected.toSorted(), data });
    expect({ outcome: await outcomeOf(() => result.get({ timeout: "10s" })), data }).toEqual({ outcome, data });
  }
});
