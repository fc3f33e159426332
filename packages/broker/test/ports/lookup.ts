import { describe, expect, test } from "vitest";
import { newId } from "../../src/id.js";
import { messageOf, numbered } from "./messages.js";
import type { Stage } from "./stage.js";

export function describeLookup(stage: () => Stage): void {
  describe("a task of which only the id is known", () => {
    test("is found among thousands", async () => {
      const ids = Array.from({ length: 3000 }, newId);
      const message = messageOf();
      await stage().send({ queue: "far", message }, ...numbered("near", 3));
      const tasks = [...ids, message.id].map((id) => ({ id, queues: [], elsewhere: true }));
      const found = await stage().engine.queues.locate(tasks);
      expect(found.filter((location) => location === "absent")).toHaveLength(3000);
      expect(found.at(-1)).toBe("waiting");
    });
  });
}
