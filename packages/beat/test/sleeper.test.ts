import { expect, it } from "vitest";
import { Sleeper } from "../src/sleeper.js";

const hour = 60 * 60 * 1000;

it("wake while asleep: the sleep ends", async () => {
  const sleeper = new Sleeper();
  const asleep = sleeper.sleep(hour);
  sleeper.wake();
  await asleep;
});

it("wake while awake: the next sleep ends at once, the one after it does not", async () => {
  const sleeper = new Sleeper();
  sleeper.wake();
  await sleeper.sleep(hour);
  const began = performance.now();
  await sleeper.sleep(30);
  expect(performance.now() - began).toBeGreaterThan(25);
});
