import * as fc from "fast-check";
import type { Argument } from "../plant.js";

/**
 * Values that nobody expects, as JSON: some of them no program can hold, and some are no JSON at
 * all.
 */

const kilobytes = (text: string, count: number) => text.repeat(Math.ceil((count * 1024) / Buffer.byteLength(text)));

const oddNumbers = ["-1", "-0", "0.5", "1e-7", "4294967296", "9007199254740991", "9007199254740993", "1e21", "1e308", "-1e308", "1e999"];

const oddObjects = [
  '{"__proto__":{"polluted":1}}',
  '{"constructor":{"prototype":{"polluted":1}}}',
  '{"toString":1,"valueOf":2}',
  '{"toJSON":"x","then":"y"}',
  '{"length":4294967296}',
  '{"":""}',
  '{"state":1,"state":2}',
];

const oddTexts = [
  "",
  "\u0000",
  "\ud800",
  "\u202etxt.exe",
  "\u001b]0;title\u0007",
  "__proto__",
  "hasOwnProperty",
  "%s%n",
  "0:0",
  "a:b",
  "-",
  "../..",
];

const nested = fc
  .constantFrom(100, 1000, 20_000, 200_000)
  .chain((depth) =>
    fc.constantFrom("[".repeat(depth) + "]".repeat(depth), '{"a":'.repeat(depth) + "1" + "}".repeat(depth), "[".repeat(depth)),
  );

/** Rare, since each costs memory in all processes. */
const long = fc
  .record({ unit: fc.constantFrom("a", "é", '\\"', "\\u0000", "😀"), size: fc.constantFrom(1, 20, 300, 3000) })
  .map(({ unit, size }) => `"${kilobytes(unit, size)}"`);

const many = fc.constantFrom(`[${kilobytes("{},", 100)}0]`, `[${kilobytes("1,", 300)}0]`, `{${kilobytes('"k":1,', 100)}"k":1}`);

/** A number, as JSON. */
export const oddNumber: fc.Arbitrary<string> = fc.oneof(fc.constantFrom(...oddNumbers), fc.double().map(String));

/** A short text, as it is. */
export const oddText: fc.Arbitrary<string> = fc.oneof(fc.constantFrom(...oddTexts), fc.string({ maxLength: 20, unit: "grapheme" }));

/** JSON, or nearly. */
export const oddJson: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: oddNumber },
  { weight: 8, arbitrary: oddText.map((text) => JSON.stringify(text)) },
  { weight: 6, arbitrary: fc.constantFrom(...oddObjects) },
  { weight: 6, arbitrary: fc.constantFrom("null", "true", "[]", "{}", "[null]", "[[]]", "undefined", "NaN", "{", "[1,", "") },
  { weight: 4, arbitrary: fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: nested },
  { weight: 1, arbitrary: long },
  { weight: 1, arbitrary: many },
);

/** Text, or bytes that are none. */
export const oddBytes: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 3, arbitrary: oddText },
  { weight: 3, arbitrary: oddJson },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)) },
);

/** `text` in an encoding other than UTF-8, or cut off. */
export function misencoded(text: string): fc.Arbitrary<Argument> {
  const bytes = Buffer.from(text);
  return fc.oneof(
    fc.constantFrom<Argument>(Buffer.from(text, "utf16le"), Buffer.from(`\ufeff${text}`), Buffer.concat([bytes, Buffer.from([0xff])])),
    fc.nat(bytes.length).map((end) => bytes.subarray(0, end)),
    fc.nat(bytes.length).map((at) => Buffer.concat([bytes.subarray(0, at), Buffer.from([0xc3, 0x28]), bytes.subarray(at)])),
  );
}
