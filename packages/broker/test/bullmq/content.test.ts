import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readContent } from "../../src/bullmq/content.js";
import { encodeMessage } from "../../src/protocol/envelope.js";
import { messageOf } from "../ports/messages.js";

describe("what a job holds", () => {
  test("is a message of ours under its own id", () => {
    const message = messageOf({ priority: 3 });
    // The envelope's priority counts: the job's is for BullMQ's tools.
    const text = encodeMessage(message);
    expect(readContent(message.id, message.task, text, "7")).toEqual({ type: "message", message, text });
  });

  test.each<[string | null, number]>([
    [null, 0],
    ["", 0],
    ["0", 0],
    ["5", 5],
    ["2097152", 9],
    ["many", 0],
  ])("is a plain job of priority %j", (priority, expected) => {
    expect(readContent("7", "mail.send", "null", priority)).toMatchObject({
      type: "external",
      message: { args: [null], priority: expected },
    });
  });

  test("is told without throwing, whatever it is", () => {
    const texts = fc.oneof(
      fc.constant(null),
      fc.string(),
      fc.json(),
      fc.json().map((json) => `{"bullrush":2,"args":${json}}`),
    );
    fc.assert(
      fc.property(fc.string(), fc.option(fc.string()), texts, fc.option(fc.string()), (id, name, text, priority) => {
        const content = readContent(id, name, text, priority);
        if (name === null || text === null) expect(content.type).toBe("undecodable");
        expect(["external", "undecodable"]).toContain(content.type);
      }),
      { numRuns: 2000 },
    );
  });
});
