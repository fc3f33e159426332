import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeMessage, maxReplyToBytes, messageVersion, replyToAtEnd } from "../../src/protocol/envelope.js";
import { defaultMaxPayload } from "../../src/protocol/payload-limit.js";
import { decodeMessage, externalMessage, isEnvelope, readMessage } from "../../src/protocol/read-message.js";
import { decodeJson } from "../../src/json/json.js";
import type { Message } from "../../src/protocol/message.js";
import { replyChannel } from "../../src/protocol/reply-channel.js";
import { asJson, canary, errorOf, jsonValues } from "./support.js";

const id = "0190c6a0-1111-7222-8333-444455556666";
const plain: Message = { id, task: "tasks.add", args: [1, 2], headers: {}, priority: 0, retries: 0, rootId: id };

/** The encoded message as an object. */
const envelopeOf = (message: Message) => decodeJson(encodeMessage(message), "the message") as Record<string, unknown>;

/** What comes back of it. */
const returned = (message: Message) => decodeMessage(message.id, message.task, envelopeOf(message));

const time = fc.nat({ max: 8.64e15 });

const messages: fc.Arbitrary<Message> = fc.record(
  {
    id: fc.uuid(),
    task: fc.string({ minLength: 1, unit: "binary" }),
    args: fc.array(jsonValues),
    headers: fc.dictionary(
      fc.string().filter((key) => key !== "__proto__"),
      jsonValues,
    ) as fc.Arbitrary<Message["headers"]>,
    priority: fc.nat({ max: 9 }),
    retries: fc.nat(),
    rootId: fc.uuid(),
    parentId: fc.uuid(),
    groupId: fc.uuid(),
    eta: time,
    expires: time,
    maxRetries: fc.option(fc.nat()),
    timeLimit: fc.nat(),
    softTimeLimit: fc.nat(),
    replyTo: fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/).map(replyChannel),
    ignoreResult: fc.boolean(),
    resent: fc.boolean(),
  },
  { requiredKeys: ["id", "task", "args", "headers", "priority", "retries", "rootId"] },
);

describe("a message", () => {
  test("comes back as it was sent", () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(returned(message)).toEqual(asJson(message));
        expect(readMessage(message.id, message.task, encodeMessage(message))).toEqual(returned(message));
      }),
      { numRuns: 300 },
    );
  });

  test("is written as an object with its version, without what its job holds beside it and what is at its default", () => {
    expect(encodeMessage(plain)).toBe('{"bullrush":2,"args":[1,2]}');
    expect(messageVersion).toBe(2);
  });

  test("names the client on whose channel the sender waits", () => {
    expect(envelopeOf({ ...plain, replyTo: replyChannel("ann") })).toEqual({ bullrush: 2, args: [1, 2], to: "ann" });
    expect(returned({ ...plain, replyTo: replyChannel("ann") }).replyTo).toBe(replyChannel("ann"));
  });

  test("of a small call whose result is awaited stays within what Redis keeps compactly, 64 bytes", () => {
    const replyTo = replyChannel(randomBytes(16).toString("base64url"));
    expect(Buffer.byteLength(encodeMessage({ ...plain, args: [100, 200], replyTo }))).toBeLessThanOrEqual(64);
  });

  test("has no argument where the call ended with undefined", () => {
    const args = (given: readonly unknown[]) => envelopeOf({ ...plain, args: given })["args"];
    expect(args([1, undefined, undefined])).toEqual([1]);
    expect(args([undefined])).toEqual([]);
    expect(errorOf(() => args([undefined, 1]))).toMatchObject({ code: "ENCODE_ERROR", details: { path: "$[0]" } });
  });

  test("with fields that nobody knows is read without them", () => {
    const message = decodeMessage(id, plain.task, { ...envelopeOf(plain), toBeInvented: { a: canary }, bullrush: 2 });
    expect(message).toEqual(plain);
  });

  test.each<[string, Partial<Message>, string]>([
    [
      "arguments",
      { args: [{ secret: canary, at: new Date(0) }] },
      "the arguments of tasks.add cannot be sent as JSON: a Date would lose its class at $[0].at",
    ],
    [
      "headers",
      { headers: { secret: canary, n: Number.NaN } },
      "the headers of tasks.add cannot be sent as JSON: NaN has no JSON form at $.n",
    ],
  ])("whose %s JSON would change is refused", (_, fields, message) => {
    expect(errorOf(() => encodeMessage({ ...plain, ...fields }))).toMatchObject({ code: "ENCODE_ERROR", message });
  });
});

describe("an envelope is refused", () => {
  test.each<[unknown, string]>([
    [3, "3"],
    [1, "1"],
    [0, "0"],
    [1.5, "a number"],
    ["1", "a string"],
    [canary, "a string"],
    [{ a: canary }, "an object"],
    [[canary], "an array"],
    [null, "null"],
  ])("of version %j", (version, shown) => {
    expect(errorOf(() => decodeMessage(id, plain.task, { ...envelopeOf(plain), bullrush: version }))).toMatchObject({
      code: "DECODE_ERROR",
      message: `the message cannot be decoded: its version is ${shown}, and this release reads version 2`,
    });
  });

  const badTargets = [
    canary,
    [canary, 1],
    ["step"],
    ["step", -1],
    ["slot", 1],
    ["open", 1, 2],
    ["steps", 1],
    ["link", canary],
    [["step"], 1],
  ].map((target) => [{ flow: id, call: 0, next: [target] }]);
  const text = [canary, "", 5, true, null, [canary], { a: canary }];
  const bad: { readonly [F in Exclude<keyof Message, "id" | "task">]-?: readonly unknown[] } & { readonly to: readonly unknown[] } = {
    args: [canary, 5, true, null, { length: 1, 0: canary }],
    headers: [canary, 5, true, null, [canary]],
    priority: [canary, -1, 10, 1.5, true, null, [1]],
    retries: [canary, -1, 1.5, 2 ** 53, true, null],
    rootId: text,
    parentId: text,
    groupId: text,
    eta: [canary, -1, 8.65e15, true, null, "2026-01-01"],
    expires: [canary, -1, true, null],
    maxRetries: [canary, -1, 1.5, 2 ** 53, true],
    timeLimit: [canary, -1, true, null, "30s"],
    softTimeLimit: [canary, -1, true, null],
    replyTo: ["", 5, true, null, [canary], canary, replyChannel(""), ` ${replyChannel("ann")}`, "bullrush:control:bull", "bullrush:reply"],
    to: ["", 5, true, null, [canary], "a\nb", "a".repeat(201)],
    ignoreResult: [canary, 0, 1, null, "true"],
    each: [canary, 0, 1, null],
    positions: [canary, 5, null, [canary], [{}], [{ flow: canary, call: 0, next: [] }], ...badTargets],
    replaces: [canary, 5, null, [canary], [null], [{ id }], [{ id: canary, task: "a" }], [{ id, task: "" }]],
    resent: [canary, 0, 1, null],
    lastFailure: [canary, 5, null, [canary], {}, { name: "Error" }, { name: "Error", message: "m", cause: canary }],
  };

  test.each(Object.entries(bad).flatMap(([field, values]) => values.map((value) => [field, value] as const)))(
    "whose %s is %j: the field is named, the value not",
    (field, value) => {
      const error = errorOf(() => decodeMessage(id, plain.task, { ...envelopeOf(plain), [field]: value }));
      expect(error.code).toBe("DECODE_ERROR");
      expect(error.message).toMatch(new RegExp(`^the message cannot be decoded: "${field}" is (an? \\w+|null); expected .+$`));
    },
  );

  test("without args", () => {
    expect(errorOf(() => decodeMessage(id, plain.task, { bullrush: 2 })).message).toContain('"args" is missing; expected an array');
  });

  test.each([canary, "", "7", "wait", `${id}:lock`])("in a job whose id is no task's: %s", (jobId) => {
    expect(errorOf(() => decodeMessage(jobId, plain.task, envelopeOf(plain))).message).toContain('"id" is a string; expected a UUID');
  });

  test("in a job without a name", () => {
    expect(errorOf(() => decodeMessage(id, "", envelopeOf(plain))).message).toContain('"task" is a string; expected a name');
  });

  test("with DECODE_ERROR and nothing else, whatever is in it", () => {
    const fields = fc.constantFrom("bullrush", ...Object.keys(bad));
    fc.assert(
      fc.property(fields, fc.jsonValue(), (field, value) => {
        try {
          decodeMessage(id, plain.task, { ...envelopeOf(plain), [field]: value });
        } catch (error) {
          expect(error).toMatchObject({ code: "DECODE_ERROR" });
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("the payload limit", () => {
  const bytes = (message: Message) => Buffer.byteLength(encodeMessage(message));

  // One, two, three and four bytes a character in UTF-8.
  test.each(["a", "é", "€", "😀"])("counts bytes, not characters: %s", (character) => {
    for (const length of [1, 100, 1000]) {
      const message = { ...plain, args: [character.repeat(length)] };
      const size = bytes(message);
      expect(encodeMessage(message, size)).toContain(character);
      expect(errorOf(() => encodeMessage(message, size - 1))).toMatchObject({
        code: "PAYLOAD_TOO_LARGE",
        message: `the arguments of tasks.add: ${size} bytes, over the limit of ${size - 1}; send a reference instead, or raise maxPayload`,
        details: { bytes: size, limit: size - 1 },
      });
    }
  });

  test("counts the whole message", () => {
    const message: Message = { ...plain, args: [canary], headers: { trace: canary.repeat(10) }, replyTo: "bullrush:reply:1" };
    expect(encodeMessage(message, bytes(message))).toContain(canary);
    expect(errorOf(() => encodeMessage(message, bytes(message) - 1)).code).toBe("PAYLOAD_TOO_LARGE");
  });

  test("is exact for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (argument) => {
        const message = { ...plain, args: [argument] };
        const size = bytes(message);
        expect(encodeMessage(message, size)).toBe(encodeMessage(message, Infinity));
        expect(errorOf(() => encodeMessage(message, size - 1)).code).toBe("PAYLOAD_TOO_LARGE");
      }),
    );
  });

  test("is 1 MiB by default", () => {
    expect(defaultMaxPayload).toBe(1_048_576);
    const room = defaultMaxPayload - bytes({ ...plain, args: [""] });
    expect(encodeMessage({ ...plain, args: ["a".repeat(room)] })).toHaveLength(defaultMaxPayload);
    expect(errorOf(() => encodeMessage({ ...plain, args: ["a".repeat(room + 1)] })).code).toBe("PAYLOAD_TOO_LARGE");
  });
});

test.each<[unknown, boolean]>([
  [{ bullrush: 2 }, true],
  [{ bullrush: 99, id: "x" }, true],
  [{ bullrush: null }, true],
  [{ id, task: "tasks.add" }, false],
  [{}, false],
  [[{ bullrush: 2 }], false],
  ["bullrush", false],
  [null, false],
  [undefined, false],
])("whether %j is an envelope: %j", (decoded, expected) => {
  expect(isEnvelope(decoded)).toBe(expected);
});

describe("the call of a plain producer", () => {
  test("is a call with its data as the one argument", () => {
    expect(externalMessage("7", "mail.send", { to: "ann" }, 0)).toEqual({
      id: "7",
      task: "mail.send",
      args: [{ to: "ann" }],
      headers: {},
      priority: 0,
      retries: 0,
      rootId: "7",
    });
  });

  test.each([
    [1, 1],
    [9, 9],
    [10, 9],
    [2_097_152, 9],
  ])("of priority %d has priority %d", (given, expected) => {
    expect(externalMessage("7", "mail.send", {}, given).priority).toBe(expected);
  });
});

describe("the channel at the end of a message", () => {
  const endOf = (text: string) => replyToAtEnd(Buffer.from(text).subarray(-maxReplyToBytes).toString());
  const resent = (text: string) => `${text.slice(0, -1)},"resent":true}`;

  test("is its sender's, whatever is before it", () => {
    fc.assert(
      fc.property(messages, fc.option(fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/)), fc.boolean(), (message, client, whole) => {
        const { replyTo: _, ...silent } = message;
        const replyTo = client === null ? undefined : whole ? `bullrush:beat:${client}` : replyChannel(client);
        const text = encodeMessage({ ...silent, ...(replyTo !== undefined && { replyTo }) });
        // Nobody else is told of a result.
        const told = whole ? undefined : replyTo;
        expect([endOf(text), endOf(resent(text))]).toEqual([told, told]);
      }),
      { numRuns: 300 },
    );
  });

  test.each<[what: string, fields: Partial<Message>]>([
    ["an argument", { args: [',"to":"me"}'] }],
    ["a header", { headers: { a: 1, to: "me" } }],
    ["a nested header", { headers: { a: { b: 1, to: "me" } } }],
  ])("is not taken from %s", (_, fields) => {
    expect(endOf(encodeMessage({ ...plain, ...fields }))).toBeUndefined();
  });
});
