import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { argumentsOf, messageOf } from "./messages.js";
import type { Stage } from "./stage.js";
import { take } from "./waiting.js";

export function describePublishing(stage: () => Stage): void {
  describe("publishing", () => {
    test("carries whatever JSON can carry", async () => {
      const consumer = stage().consume(["feeds"]);
      const values = fc
        .sample(fc.jsonValue({ noUnicodeString: false }), 100)
        .filter((value) => !JSON.stringify(value).includes("__proto__"));
      await stage().send(...values.map((value) => ({ queue: "feeds", message: messageOf({ args: [value] }) })));
      const deliveries = await take(consumer, values.length);
      expect(argumentsOf(deliveries)).toEqual(values.map((value) => JSON.parse(JSON.stringify(value)) as unknown));
    });
  });
}
