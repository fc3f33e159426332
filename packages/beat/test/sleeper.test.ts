import { expect, it } from "vitest";
import { Sleeper } from "../src/sleeper.js";

const hour = 60 * 60 * 1000;

it("sleeps until it is woken", async () => {
  const sleeper = new Sleeper();
  const asleep = sleeper.sleep(hour);
  sleeper.wake();
  await asleep;
});

it("does not sleep after it was woken while awake, and sleeps again the next time", async () => {
  const sleeper = new Sleeper();
  sleeper.wake();
  await sleeper.sleep(hour);
  const began = performance.now();
  await sleeper.sleep(30);
  expect(performance.now() - began).toBeGreaterThan(25);
});
