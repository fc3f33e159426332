import { expect, test } from "vitest";
import { readContent } from "../../src/bullmq/content.js";
import { locationOf } from "../../src/bullmq/locating.js";
import { clip, textLimits } from "../../src/errors/clip.js";
import { newId } from "../../src/protocol/id.js";
import type { Failure } from "../../src/protocol/failure.js";
import { clippedFailure, isFailure } from "../../src/protocol/stored-failure.js";
import { toFailure } from "../../src/protocol/to-failure.js";
import { decodeRecord } from "../../src/protocol/record.js";

const id = newId();
const huge = "x".repeat(1_000_000);
const longest = (value: unknown): number =>
  Math.max(...Array.from(JSON.stringify(value).matchAll(/"([^"]*)"/g), ([, text = ""]) => text.length));

test("a text that is cut says so, and one that fits is left", () => {
  expect(clip("abcd", 4)).toBe("abcd");
  expect(clip("abcde", 4)).toBe("abc…");
});

test("a record's names and reasons are no longer than those that are written", () => {
  const text = JSON.stringify({ state: "REVOKED", delivery: 1, reason: huge, task: huge, queue: huge, worker: huge });
  const { reason, task, queue, worker } = decodeRecord(text);
  expect([reason, task, queue, worker].map((field) => field?.length)).toEqual([textLimits.reason, ...Array(3).fill(textLimits.name)]);
});

test("so is a failure, on each level, and one that fits is the same", () => {
  const planted: Failure = { name: huge, message: huge, stack: huge, code: huge, cause: { name: "E", message: huge } };
  const { failure } = decodeRecord(JSON.stringify({ state: "FAILURE", delivery: 1, failure: planted }));
  expect(longest(failure)).toBe(20_000);
  expect(failure?.name).toHaveLength(200);
  expect(failure?.cause?.message).toHaveLength(10_000);
  const written = toFailure(new Error("no", { cause: new RangeError("why") }));
  expect(clippedFailure(written)).toBe(written);
  expect(isFailure(failure)).toBe(true);
});

test("a message under a name that no task can have is none", () => {
  const content = readContent(id, huge, '{"bullrush":2,"args":[]}', null);
  expect(content).toMatchObject({ type: "undecodable", error: { code: "DECODE_ERROR" } });
  expect(longest(content)).toBeLessThan(300);
});

test("of a job of another program, and of another version, the name is cut", () => {
  expect(longest(readContent("1", huge, "{}", null))).toBe(textLimits.name);
  expect(readContent(id, huge, '{"bullrush":9}', null)).toMatchObject({ taskOfOtherVersion: expect.stringMatching(/^x{199}…$/) as string });
});

test("the failure that a message brings along is cut", () => {
  const envelope = { bullrush: 2, args: [], lastFailure: { name: "E", message: huge } };
  const content = readContent(id, "add", JSON.stringify(envelope), null);
  expect(content.type === "message" && content.message.lastFailure?.message).toHaveLength(10_000);
});

test("what is said of a loan, and of a revocation, is cut", () => {
  expect(locationOf(huge, id)).toEqual({ revoked: expect.stringMatching(/^x{999}…$/) as string });
  expect(longest(locationOf(["one", huge, huge, "1", 1, 0, 5, null, null], id))).toBe(textLimits.name);
});
