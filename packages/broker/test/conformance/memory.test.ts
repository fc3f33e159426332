import { describe, it } from "vitest";
import { describeEngine } from "../../src/conformance/index.js";
import { newId } from "../../src/id.js";
import { memoryEngine } from "../../src/memory/memory-engine.js";
import { MovableClock } from "../../src/memory/movable-clock.js";

describeEngine({ describe, it }, "memory", () => {
  const clock = new MovableClock();
  const name = newId();
  const [engine, other] = [memoryEngine({ name, clock }), memoryEngine({ name, clock })];
  return {
    engine,
    other,
    lease: 1000,
    lead: 10_000,
    now: () => clock.now(),
    pass: async (ms) => {
      clock.advance(ms);
      // What the timers have started goes on before the next look.
      await new Promise((resolve) => void setImmediate(resolve));
    },
    close: async () => void (await Promise.all([engine.close(), other.close()])),
  };
});
