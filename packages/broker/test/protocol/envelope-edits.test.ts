import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  checkEditable,
  completeMessage,
  encodeAroundPositions,
  encodeMessage,
  firstArgumentByte,
  markResent,
  replyToAtEnd,
  type LateFields,
} from "../../src/protocol/envelope.js";
import type { Message } from "../../src/protocol/message.js";
import { readMessage } from "../../src/protocol/read-message.js";
import { replyChannel } from "../../src/protocol/reply-channel.js";
import { asJson, jsonValues } from "./support.js";

const id = "0190c6a0-1111-7222-8333-444455556666";
const positions = [{ flow: id, call: 3, next: [["slot", 0, 2] as const] }];

/** Texts that look like parts of a message. */
const hostile = fc.constantFrom(
  ',"resent":true}',
  '],"args":[',
  `{"bullrush":1,"args":[`,
  `,"positions":${JSON.stringify(positions)}`,
  '"}',
  "\\",
  ',"to":"somebody"}',
);

const values = fc.oneof(jsonValues, hostile, fc.dictionary(hostile, jsonValues));

const messages: fc.Arbitrary<Message> = fc.record(
  {
    id: fc.uuid(),
    task: fc.string({ minLength: 1, unit: "binary" }),
    args: fc.array(values),
    headers: fc.dictionary(
      fc.string().filter((key) => key !== "__proto__"),
      values,
    ) as fc.Arbitrary<Message["headers"]>,
    priority: fc.nat({ max: 9 }),
    retries: fc.nat(),
    rootId: fc.uuid(),
    timeLimit: fc.nat(),
    each: fc.boolean(),
    replyTo: fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/).map(replyChannel),
    replaces: fc.array(fc.record({ id: fc.uuid(), task: fc.string({ minLength: 1 }), queue: fc.string({ minLength: 1 }) })),
  },
  { requiredKeys: ["id", "task", "args", "headers", "priority", "retries", "rootId"] },
);

const read = (message: Message, text: string) => readMessage(message.id, message.task, text);

/** What an unedited message reads as. */
const unedited = (message: Message) => read(message, encodeMessage(message));

describe("a message of a flow's call that is completed", () => {
  const lateFields: fc.Arbitrary<LateFields> = fc.record(
    { value: values.map(asJsonText), eta: fc.nat(), expires: fc.nat(), resent: fc.boolean() },
    { requiredKeys: [] },
  );

  test("reads as the same message with what was added", () => {
    fc.assert(
      fc.property(messages, lateFields, (message, late) => {
        const { args, ...rest } = unedited(message);
        const { value, eta, expires, resent } = late;
        expect(read(message, completeMessage(encodeMessage(message), late))).toEqual({
          ...rest,
          args: value === undefined ? args : [JSON.parse(value), ...args],
          ...(eta !== undefined && { eta }),
          ...(expires !== undefined && { expires }),
          ...(resent === true && { resent }),
        });
      }),
    );
  });

  test("keeps each other byte", () => {
    fc.assert(
      fc.property(messages, values.map(asJsonText), (message, value) => {
        const text = encodeMessage(message);
        const start = text.slice(0, firstArgumentByte - 1);
        const rest = text.slice(firstArgumentByte - 1);
        const comma = message.args.length === 0 ? "" : ",";
        expect(completeMessage(text, { value, eta: 5, expires: 6, resent: true })).toBe(
          `{"eta":5,"expires":6,${start.slice(1)}${value}${comma}${rest.slice(0, -1)},"resent":true}`,
        );
      }),
    );
  });

  test("without anything to add: it stays as it is", () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(completeMessage(encodeMessage(message), {})).toBe(encodeMessage(message));
      }),
    );
  });
});

describe("a message that is sent again", () => {
  test("reads as the same message with a mark, and its sender is still found at its end", () => {
    fc.assert(
      fc.property(messages, (message) => {
        const marked = markResent(encodeMessage(message));
        expect(read(message, marked)).toEqual({ ...unedited(message), resent: true });
        expect(replyToAtEnd(marked.slice(-256))).toBe(message.replyTo);
      }),
    );
  });
});

describe("a message around its positions", () => {
  test("with the positions between the two texts: it is what the message is encoded to", () => {
    fc.assert(
      fc.property(messages, (message) => {
        const [before, behind] = encodeAroundPositions(message);
        expect(`${before},"positions":${JSON.stringify(positions)}${behind}`).toBe(encodeMessage({ ...message, positions }));
        expect(before + behind).toBe(encodeMessage(message));
      }),
    );
  });
});

describe("a text that is edited", () => {
  test("as a message is encoded: it is accepted", () => {
    fc.assert(fc.property(messages, (message) => checkEditable(encodeMessage(message))));
  });

  test.each(["", "{}", '{"bullrush":3,"args":[]}', '{"args":[],"bullrush":1}', ' {"bullrush":1,"args":[]}', '{"bullrush":1,"args":{}}'])(
    "as %s: it is refused",
    (text) => {
      expect(() => checkEditable(text)).toThrow(TypeError);
    },
  );
});

function asJsonText(value: unknown): string {
  return JSON.stringify(asJson(value) ?? null);
}
