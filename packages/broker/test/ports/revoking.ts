import { describe, expect, test } from "vitest";
import { replyChannel } from "../../src/protocol/reply-channel.js";
import { messageOf } from "./messages.js";
import type { Stage } from "./stage.js";
import { hear } from "./waiting.js";

const asked = { reason: "too late", terminate: false };

export function describeRevoking(stage: () => Stage): void {
  describe("revoking", () => {
    test("many long messages are all marked, though not all are read for who waits for them", async () => {
      const replyTo = replyChannel("somebody");
      const long = Array.from({ length: 12 }, () => messageOf({ replyTo, args: ["x".repeat(1_000_000)] }));
      const messages = [...long, messageOf({ replyTo })];
      await stage().send(...messages.map((message) => ({ queue: "a", message })));
      const marked = await stage().engine.queues.revoke(
        messages.map(({ id }) => id),
        ["a"],
        asked,
      );
      expect(marked).toMatchObject(messages.map(() => ({ location: "waiting", queue: "a", task: "tasks.add" })));
      const told = marked.map((found) => "replyTo" in found && found.replyTo === replyTo);
      expect(told).toEqual([...Array(8).fill(true), ...Array(4).fill(false), true]);
      const deliveries = await hear(stage().consume(["a"]), 13);
      expect(deliveries.map(({ revoked }) => revoked)).toEqual(messages.map(() => "too late"));
    });
  });
}
