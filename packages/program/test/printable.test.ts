import { expect, test } from "vitest";
import { printable, printableLines } from "../src/printable.js";

/**
 * Clears the screen, sets the title, rings, turns text round, begins a sequence in one byte of C1,
 * and forges a line.
 */
const hostile = "\u001b[2J\u001b]0;title\u0007\u202egnp\u2066\u009b31m\u007f\r\n[12:00:00.000] INFO: forged\u2028\u0000";

test("control characters: shown, not obeyed", () => {
  expect(printable(hostile)).toBe(
    String.raw`\u001b[2J\u001b]0;title\u0007\u202egnp\u2066\u009b31m\u007f\r\n[12:00:00.000] INFO: forged\u2028\u0000`,
  );
});

test("line breaks where they are meant: kept", () => {
  expect(printableLines("one\ntwo\u001b\r\n")).toBe("one\ntwo\\u001b\\r\n");
});

test("JSON: stays the same JSON", () => {
  const value = { [hostile]: [hostile, "plain", "\u05e9\u05dc\u05d5\u05dd \u{1f468}\u200d\u{1f469}"] };
  const text = printableLines(JSON.stringify(value));
  expect(JSON.parse(text)).toEqual(value);
  expect(text).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028]/u);
});
