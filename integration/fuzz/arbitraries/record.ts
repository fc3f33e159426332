import * as fc from "fast-check";
import { resultKey, type Argument, type Plant } from "../plant.js";
import { resent } from "./message.js";
import { jsonOf, mutated } from "./mutation.js";
import { misencoded, oddBytes } from "./value.js";

const states = ["PENDING", "SUCCESS", "FAILURE", "REVOKED", "RETRY", "STARTED", "PROGRESS", "constructor", ""];

const others = [
  "failure",
  "reason",
  "meta",
  "queue",
  "worker",
  "startedAt",
  "endedAt",
  "eta",
  "flow",
  "call",
  "origin",
  "children",
  "unfound",
];

const text = fc
  .record({ state: fc.constantFrom(...states), delivery: fc.constantFrom("0", "1", "9007199254740991") })
  .chain(({ state, delivery }) =>
    mutated(
      [
        ["state", JSON.stringify(state)],
        ["delivery", delivery],
        ["task", '"add"'],
        ["result", "3"],
        ["attempt", "1"],
      ],
      others,
    ).map(jsonOf),
  );

/** The fields of a task's record. */
export const recordText: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 8, arbitrary: text },
  { weight: 2, arbitrary: text.chain(misencoded) },
  { weight: 2, arbitrary: oddBytes },
);

/** A record of a task that was never sent. */
const stray: fc.Arbitrary<Plant> = fc.record({ id: fc.uuid(), text: recordText, list: fc.boolean() }).map(({ id, text, list }) => ({
  kind: "record",
  ids: [id],
  commands: [list ? ["RPUSH", resultKey(id), text] : ["SET", resultKey(id), text]],
}));

const group: fc.Arbitrary<Plant> = fc.record({ id: fc.uuid(), text: recordText }).map(({ id, text }) => ({
  kind: "group",
  commands: [["SET", `bullrush:group:${id}`, text]],
}));

export const record: fc.Arbitrary<Plant> = fc.oneof(
  { weight: 3, arbitrary: resent(recordText) },
  { weight: 2, arbitrary: stray },
  { weight: 1, arbitrary: group },
);
