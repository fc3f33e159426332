import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { commandOf, start, type Started } from "../process.js";

const folder = fileURLToPath(new URL(".", import.meta.url));
let demo: Started | undefined;

afterEach(async () => {
  await demo?.stop();
});

/** The demo itself sees to it that all habits come to the same, and save time. */
test("the demo: ends with 0 and prints the time that each habit saves", async () => {
  demo = start(commandOf("jiti", import.meta.url), ["demo.ts"], { folder, environment: { BULLRUSH_DEMO_REDIS_URL: "" } });
  expect([await demo.ended, demo.output()]).toEqual([0, expect.stringContaining("All as it should be")]);
  const habits = Array.from(
    demo.output().matchAll(/^ {3}(\S+(?: \S+)*) {2,}.* instead of \d+\.\d\d s, saved \d+\.\d\d s$/gm),
    ([, habit]) => habit,
  );
  expect(habits).toEqual([
    ...["map", "starmap", "map_async(callback)", "apply_async(callback)", "apply_async(callback)", "imap_unordered"],
    ...["map", "[r.get() for r in …]", "imap_unordered", "map(chunksize=50)", "close, join"],
  ]);
  expect(demo.output()).toContain("RangeError: 8 ** -1 is not whole");
  expect(demo.output()).toContain("8 ** 20 is still 1152921504606846976");
});
