import { expect, test } from "vitest";
import { BullrushError } from "../src/error.js";
import { counted, indefinite, typeOf } from "../src/words.js";

test.each([
  ["Error", "an Error"],
  ["ArrayBuffer", "an ArrayBuffer"],
  ["object", "an object"],
  ["Date", "a Date"],
  ["URL", "a URL"],
  ["Uint8Array", "a Uint8Array"],
])("%s has its article", (noun, text) => {
  expect(indefinite(noun)).toBe(text);
});

test("what is missing has no article", () => {
  expect([undefined, null, {}, 1].map(typeOf)).toEqual(["undefined", "null", "an object", "a number"]);
});

test("nouns and verbs fit the number", () => {
  expect([0, 1, 2].map((count) => counted(count, "result was", "results were"))).toEqual([
    "0 results were",
    "1 result was",
    "2 results were",
  ]);
  expect([1, 2].map((count) => counted(count, "member"))).toEqual(["1 member", "2 members"]);
});

test.each([
  [new BullrushError("TASK_POISONED", { task: "t", crashes: 1 }), "it started once, and its worker or runner died"],
  [new BullrushError("MAX_RETRIES_EXCEEDED", { task: "t", maxRetries: 1 }), "may be retried only once"],
  [new BullrushError("CHORD_FAILED", { failed: 1, size: 1, members: ["m"] }), "1 of 1 member of a group failed"],
  [new BullrushError("PAYLOAD_TOO_LARGE", { what: "the arguments of echo", bytes: 9, limit: 8 }), "the arguments of echo: 9 bytes, over"],
])("%s", (error, text) => {
  expect(error.message).toContain(text);
});
