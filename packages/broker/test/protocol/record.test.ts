import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeRecord, encodeRecord, type UnsentRecord } from "../../src/protocol/record.js";
import { isTerminal, type TaskState } from "../../src/protocol/state.js";
import { asJson, canary, errorOf, jsonValues } from "./support.js";

const words = fc.constantFrom<TaskState>("SUCCESS", "FAILURE", "REVOKED", "STARTED", "RETRY", "PENDING", "LOADING");
const failures = fc.record({ name: fc.string(), message: fc.string(), stack: fc.string() }, { requiredKeys: ["name", "message"] });

const records: fc.Arbitrary<UnsentRecord> = fc.record(
  {
    state: words,
    delivery: fc.nat(),
    resultText: jsonValues.map((value) => JSON.stringify(value)),
    failure: failures,
    reason: fc.string(),
    metaText: jsonValues.map((value) => JSON.stringify(value)),
    task: fc.string(),
    queue: fc.string(),
    worker: fc.string(),
    attempt: fc.nat(),
    startedAt: fc.nat(),
    endedAt: fc.nat(),
  },
  { requiredKeys: ["state", "delivery"] },
);

describe("a record", () => {
  test("comes back as it was stored", () => {
    fc.assert(
      fc.property(records, (record) => {
        const { resultText, metaText, ...facts } = record;
        const result = resultText === undefined ? {} : { result: asJson(JSON.parse(resultText)) };
        const meta = metaText === undefined ? {} : { meta: asJson(JSON.parse(metaText)) };
        expect(decodeRecord(encodeRecord(record))).toEqual({ ...(asJson(facts) as object), ...result, ...meta });
      }),
      { numRuns: 1000 },
    );
  });

  // The Lua scripts match this and read no further.
  test("begins with its state and its delivery, whatever is in it", () => {
    fc.assert(
      fc.property(records, (record) => {
        const head = /^\{"state":"([^"]*)","delivery":(\d+)[,}]/.exec(encodeRecord(record));
        expect(head?.slice(1)).toEqual([record.state, String(record.delivery)]);
      }),
      { numRuns: 1000 },
    );
  });

  test("begins so whatever the order in which it was put together", () => {
    const record = {
      worker: canary,
      metaText: '{"state":"SUCCESS","delivery":99}',
      delivery: 2,
      resultText: '{"state":"FAILURE"}',
      state: "STARTED",
    };
    expect(encodeRecord(record)).toBe(
      `{"state":"STARTED","delivery":2,"result":{"state":"FAILURE"},"meta":{"state":"SUCCESS","delivery":99},"worker":"${canary}"}`,
    );
  });

  test("without a result has none, and one whose result is null has null", () => {
    expect(decodeRecord(encodeRecord({ state: "SUCCESS", delivery: 1 }))).toEqual({ state: "SUCCESS", delivery: 1 });
    expect(decodeRecord(encodeRecord({ state: "SUCCESS", delivery: 1, resultText: "null" }))).toEqual({
      state: "SUCCESS",
      delivery: 1,
      result: null,
    });
  });

  test("with fields that nobody knows is a record", () => {
    expect(decodeRecord('{"state":"SUCCESS","delivery":1,"toBeInvented":[1]}')).toMatchObject({ state: "SUCCESS", delivery: 1 });
  });
});

describe("what is no record is refused", () => {
  test.each([
    [""],
    [canary],
    ["null"],
    ["5"],
    [`"${canary}"`],
    ["[]"],
    ["{}"],
    [`{"state":"SUCCESS"}`],
    [`{"delivery":1}`],
    [`{"state":5,"delivery":1}`],
    [`{"state":null,"delivery":1}`],
    [`{"state":"SUCCESS","delivery":"${canary}"}`],
    [`{"state":"SUCCESS","delivery":1.5}`],
    [`{"state":"FAILURE","delivery":1,"failure":"${canary}"}`],
    [`{"state":"FAILURE","delivery":1,"failure":null}`],
    [`{"state":"FAILURE","delivery":1,"failure":{"name":"E","message":"m","cause":null}}`],
    ...[
      `"reason":{"toString":1}`,
      `"reason":null`,
      `"task":[]`,
      `"queue":5`,
      `"worker":{}`,
      `"attempt":"1"`,
      `"startedAt":"now"`,
      `"endedAt":1e300`,
      `"eta":[]`,
      `"flow":"${canary}"`,
      `"call":-1`,
      `"origin":{"id":1}`,
      `"children":"${canary}"`,
      `"children":[{}]`,
      `"unfound":1`,
    ].map((field) => [`{"state":"REVOKED","delivery":1,${field}}`]),
    ['{"state":"","delivery":1}'],
    [`{"state":"SUCCESS","delivery":-1}`],
    [`{"state":"SUCCESS","delivery":1,"result":{"__proto__":{"polluted":"${canary}"}}}`],
  ])("%s", (text) => {
    expect(errorOf(() => decodeRecord(text))).toMatchObject({ code: "DECODE_ERROR", details: { what: "the stored result" } });
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test("with DECODE_ERROR and nothing else, whatever it is", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(errorOf(() => decodeRecord(text)).code).toBe("DECODE_ERROR");
      }),
      { numRuns: 1000 },
    );
  });
});

test.each<[TaskState, boolean]>([
  ["SUCCESS", true],
  ["FAILURE", true],
  ["REVOKED", true],
  ["UNKNOWN", false],
  ["PENDING", false],
  ["STARTED", false],
  ["RETRY", false],
  ["success", false],
  ["LOADING", false],
])("whether %s is terminal: %j", (state, expected) => {
  expect(isTerminal(state)).toBe(expected);
});
