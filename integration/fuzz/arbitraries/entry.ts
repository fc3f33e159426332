import * as fc from "fast-check";
import { beatKey, type Argument, type Command, type Plant } from "../plant.js";
import { jsonOf, mutated } from "./mutation.js";
import { oddBytes, oddJson, oddText } from "./value.js";

/**
 * A schedule. Those that can be read are due in an hour at the earliest: an entry that ticks is
 * work, and no fault.
 */
const schedule = fc.oneof(
  fc
    .constantFrom("-100", "0.5", "0", "99", "3600000.5", "1e308", "9007199254740991", '"100"', "null", "[100]", "3600000")
    .map((every) => `{"type":"every","every":${every}}`),
  fc
    .oneof(
      fc.constantFrom(
        "*/0 * * * *",
        "99 99 99 99 99",
        "0 0 30 2 *",
        "0 0 29 2 *",
        "",
        "0-59/999999999 0 1 1 *",
        `${"0,".repeat(400)}0 0 1 1 *`,
        "0 0 1 1 * 2999",
      ),
      oddText,
    )
    .filter((expression) => !/^[*?\s/\d]*$/.test(expression) || expression.includes("99"))
    .map((expression) => `{"type":"crontab","expression":${JSON.stringify(expression)},"timezone":"UTC"}`),
  oddText.map((timezone) => `{"type":"crontab","expression":"0 0 1 1 *","timezone":${JSON.stringify(timezone)}}`),
  fc.constantFrom("91", "1e308", "null", "90").map((latitude) => `{"type":"solar","event":"sunrise","latitude":${latitude},"longitude":0}`),
  fc.constant('{"type":"function"}'),
  oddJson,
);

const call = schedule.chain((schedule) =>
  fc.oneof(
    fc.constant(
      jsonOf([
        ["task", '"add"'],
        ["schedule", schedule],
      ]),
    ),
    mutated(
      [
        ["schedule", schedule],
        ["task", '"add"'],
        ["args", "[1,2]"],
      ],
      ["options", "deadline", "overlap", "jitter", "endAt", "limit"],
      oddJson,
    ).map(jsonOf),
  ),
);

const name = fc.oneof(fc.uuid(), oddText, oddBytes);

const spoilt = fc.array(
  fc.tuple(
    fc.constantFrom(
      "call",
      "origin",
      "version",
      "paused",
      "createdAt",
      "count",
      "lastDue",
      "lastSentAt",
      "lastId",
      "lastQueue",
      "term",
      "from",
      "sent",
    ),
    oddBytes,
  ),
  { maxLength: 2 },
);

const keyOf = (name: Argument): Argument =>
  typeof name === "object" ? Buffer.concat([Buffer.from(`${beatKey}:entry:`), name]) : `${beatKey}:entry:${name}`;

/** Entries of beat that are spoilt, and names among those that are due. */
export const entry: fc.Arbitrary<Plant> = fc
  .record({
    name,
    call,
    spoilt,
    at: fc.constantFrom<Argument>(0, 0, 0, 1, "-inf", "inf", -5, 1e300),
    kind: fc.constantFrom("hash", "hash", "hash", "hash", "none", "list"),
    tell: fc.boolean(),
  })
  .map(({ name, call, spoilt, at, kind, tell }) => {
    const now = "1790000000000";
    const hash: readonly Command[] = [
      ["HSET", keyOf(name), "call", call, "origin", "runtime", "version", "v1", "createdAt", now, "count", 0],
      ...spoilt.map(([field, value]): Command => ["HSET", keyOf(name), field, value]),
    ];
    const writes = { hash, none: [], list: [["RPUSH", keyOf(name), "x"]] } satisfies Record<string, readonly Command[]>;
    return {
      kind: "entry of beat",
      commands: [
        ...writes[kind as keyof typeof writes],
        ["ZADD", `${beatKey}:due`, at, name],
        ...(tell ? ([["PUBLISH", beatKey, "changed"]] as const) : []),
      ],
    };
  });
