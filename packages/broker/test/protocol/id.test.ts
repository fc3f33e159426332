import * as fc from "fast-check";
import { v5 } from "uuid";
import { describe, expect, test } from "vitest";
import { additionId, callId, checkTaskId, copyId, groupId, isTaskId, newId, replacementId, tickId } from "../../src/protocol/id.js";

const id = "0190c6a0-1111-7222-8333-444455556666";

test("a new id is a task id, and another every time", () => {
  const ids = Array.from({ length: 1000 }, newId);
  expect(ids.every(isTaskId)).toBe(true);
  expect(new Set(ids).size).toBe(1000);
});

describe("a task id", () => {
  test.each([id, "00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF"])("is %s", (text) => {
    expect(isTaskId(text)).toBe(true);
    expect(checkTaskId(text)).toBe(text.toLowerCase());
  });

  // Names of BullMQ's own keys, separators, integers, whatever surrounds a UUID.
  test.each([
    ["wait"],
    ["active"],
    ["events"],
    ["marker"],
    ["delayed"],
    ["meta"],
    ["42"],
    ["a:b:c"],
    [""],
    [`${id}\n`],
    [` ${id}`],
    [`${id}:lock`],
    [`{${id}}`],
    [id.replaceAll("-", "")],
    [id.replace("0", "g")],
    ["x".repeat(10_000)],
    [undefined],
    [null],
    [42],
    [Symbol("id")],
    [{ toString: () => id }],
    [[id]],
    [Object.create(null)],
  ])("is not %o", (value) => {
    expect(isTaskId(value)).toBe(false);
    expect(() => checkTaskId(value)).toThrow(expect.objectContaining({ code: "INVALID_TASK_ID" }));
  });

  test("is nothing that fast-check comes up with, unless it has a UUID's form", () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        expect(isTaskId(value)).toBe(false);
        expect(() => checkTaskId(value)).toThrow(expect.objectContaining({ code: "INVALID_TASK_ID" }));
      }),
    );
    fc.assert(fc.property(fc.uuid(), (uuid) => isTaskId(uuid) && isTaskId(uuid.toUpperCase())));
  });

  test("that is refused is quoted, cut to 80 characters", () => {
    expect(() => checkTaskId("x".repeat(10_000))).toThrow(
      `"${"x".repeat(80)}" is not a task id: ids are UUIDs, and calls without a taskId get a fresh one`,
    );
  });
});

describe("the id of a copy", () => {
  test("is the same at every call, and differs by task and by queue", () => {
    expect(copyId(id, "feeds")).toBe(copyId(id, "feeds"));
    const other = newId();
    expect(new Set([id, copyId(id, "feeds"), copyId(id, "mail"), copyId(other, "feeds")]).size).toBe(4);
  });

  test("is a task id, in lower case, whatever the queue is called", () => {
    fc.assert(
      fc.property(fc.uuid(), fc.string(), (task, queue) => {
        const copy = copyId(task, queue);
        expect(isTaskId(copy)).toBe(true);
        expect(copy).toBe(copy.toLowerCase());
      }),
    );
  });

  test.each(["11111111-1111-1111-1111-111111111111", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff"])(
    "is one for a task id that is of no version of RFC 9562: %s",
    (task) => {
      expect(isTaskId(task)).toBe(true);
      expect(isTaskId(copyId(task, "feeds"))).toBe(true);
      expect(copyId(task, "feeds")).toBe(copyId(task.toUpperCase(), "feeds"));
    },
  );

  // Workers of different releases must agree on it.
  test("is a UUID of version 5 of the queue's name, with the task's id as namespace", () => {
    expect(copyId("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com")).toBe("2ed6657d-e927-568b-95e1-2665a8aea6a2");
  });
});

test("the id of a call is the UUID of version 5 of its number in its flow, whatever is made in between", () => {
  const flows = ["6f7d6a0e-9d0b-4c80-8a55-3f0a2f6b1c11", "6F7D6A0E-9D0B-4C80-8A55-3F0A2F6B1C12"];
  for (const number of [0, 7, 10_000, Number.MAX_SAFE_INTEGER, 3]) {
    for (const flow of flows) expect(callId(flow, number)).toBe(v5(String(number), flow));
  }
});

test("the ids of groups, replacements, additions and ticks are UUIDs of version 5 as well", () => {
  const flow = "6f7d6a0e-9d0b-4c80-8a55-3f0a2f6b1c11";
  expect(groupId(flow, 3)).toBe(v5("group 3", flow));
  expect(replacementId(flow.toUpperCase())).toBe(v5("replacement", flow));
  expect(additionId(flow.toUpperCase(), 2)).toBe(v5("addition 2", flow));
  expect(tickId("näh", "v1", 7)).toBe(v5('["näh","v1",7]', "7d1f6c2a-4a0e-4f0b-9a55-1d0c1b6f2e38"));
});

test.each(["11111111-1111-1111-1111-111111111111", "ffffffff-ffff-ffff-ffff-ffffffffffff"])(
  "what runs in the place of a task has an id, though the task's id is of no version of RFC 9562: %s",
  (task) => expect(isTaskId(replacementId(task))).toBe(true),
);
