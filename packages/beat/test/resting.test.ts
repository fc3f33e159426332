import { expect, it } from "vitest";
import { RestingEntries } from "../src/resting.js";

it("entry that failed: rests for 10 s, unless it is changed", () => {
  const resting = new RestingEntries();
  resting.begin({ name: "e", version: "1" }, 1000);
  expect(resting.until({ name: "e", version: "1" })).toBe(11_000);
  expect(resting.until({ name: "e", version: "2" })).toBeUndefined();
  resting.wake(10_999);
  expect(resting.all()).toEqual([{ name: "e", version: "1" }]);
  resting.wake(11_000);
  expect([resting.all(), resting.until({ name: "e", version: "1" })]).toEqual([[], undefined]);
});
