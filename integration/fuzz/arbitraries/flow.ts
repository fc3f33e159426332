import * as fc from "fast-check";
import { flowIndex, flowKey, queueKey, type Argument, type Command, type Plant } from "../plant.js";
import { place } from "./message.js";
import { jsonOf, mutated } from "./mutation.js";
import { oddBytes, oddJson, oddNumber, oddText } from "./value.js";

const huge = "9007199254740991";

const next = fc.oneof(
  fc.constantFrom(
    `[["steps",0,${huge}]]`,
    `[["steps",1,2]]`,
    `[["slot",0,0]]`,
    `[["slot",0,${huge}]]`,
    `[["slot",${huge},0]]`,
    `[["error",1,0,${huge}]]`,
    `[["open",0]]`,
    `[["link",1],["step",2]]`,
    `[["step",0]]`,
  ),
  oddJson.map((json) => `[${json}]`),
);

/** An entry of the list of calls to fail, or to send. */
const listed = fc.oneof(
  fc.constantFrom(
    "0 ",
    "1 1",
    "- 1",
    `${huge} `,
    "call 1 1 ",
    `calls 0 ${huge} 1 `,
    `calls 2 0 1 `,
    "drop 1",
    `drop ${huge}`,
    "join 0",
    `join ${huge}`,
    "call 1 1 0 0:1",
  ),
  oddText,
);

/** The head of a call that is to be sent, as the scripts read it, and its message. */
function callText(id: string, positions: string, task: string): fc.Arbitrary<string> {
  const head = [
    ["queue", '"one"'],
    ["id", JSON.stringify(id)],
    ["task", JSON.stringify(task)],
    ["priority", "0"],
    ["takesValue", "true"],
    ["from", "22"],
    ["positions", positions],
  ] as const;
  const whole = fc.oneof(
    { weight: 2, arbitrary: fc.constant(jsonOf(head)) },
    { weight: 1, arbitrary: mutated(head, ["countdown", "lifetime", "eta", "resent", "replaces", "startsMembersOf"]).map(jsonOf) },
  );
  return whole.map((text) => `${text}\n{"bullrush":2,"args":[1]}`);
}

const join = (next: string) =>
  mutated(
    [
      ["id", '"22222222-2222-4222-8222-222222222222"'],
      ["size", "2"],
      ["partial", "false"],
      ["next", next],
    ],
    [],
    fc.oneof(oddNumber, oddJson),
  ).map(jsonOf);

/** Fields of a flow's hash that are spoilt. */
const spoilt = fc.array(
  fc.tuple(
    fc.constantFrom(
      "layout",
      "remaining",
      "calls",
      "maxBytes",
      "expires",
      "replyTo",
      "queues",
      "customIds",
      "callGroups",
      "links",
      "texts",
      "resent",
      "b0",
      "v1",
      "f1",
      "c0",
      "c1",
      "c2",
      "j0",
      `c${huge}`,
    ),
    fc.oneof(
      { weight: 2, arbitrary: fc.constantFrom<Argument>("0", "-1", "1", huge, "1e308", "[]", "{}") },
      { weight: 2, arbitrary: oddBytes },
      { weight: 1, arbitrary: oddJson },
    ),
  ),
  { maxLength: 2 },
);

/** What Redis keeps of a flow beside its hash. */
const beside = (key: string): fc.Arbitrary<readonly Command[]> =>
  fc.array(
    fc.oneof(
      fc.array(listed, { minLength: 1, maxLength: 4 }).map((entries): Command => ["RPUSH", `${key}:backlog`, ...entries]),
      fc.array(listed, { minLength: 1, maxLength: 4 }).map((entries): Command => ["RPUSH", `${key}:cascade`, ...entries]),
      fc.constantFrom<Command>(
        ["SETBIT", `${key}:sent`, 1, 1],
        ["SETBIT", `${key}:done`, 2, 1],
        ["SETBIT", `${key}:sent`, 1_000_000, 1],
        ["RPUSH", `${key}:done`, "x"],
        ["HSET", `${key}:backlog`, "a", "b"],
        ["SET", `${key}:cascade`, "x"],
        ["SET", `${key}:0`, "x"],
      ),
      fc
        .tuple(fc.constantFrom("0", "1", huge), fc.oneof(fc.constantFrom<Argument>("+1", "-1", "=1", `-${huge}`), oddBytes))
        .map(([slot, value]): Command => ["HSET", `${key}:0`, slot, value]),
    ),
    { maxLength: 3 },
  );

/**
 * A flow of three calls and a join, spoilt in some places; its first call waits in a queue, its
 * positions as the flow says.
 */
const whole: fc.Arbitrary<Plant> = fc
  .record({
    id: fc.uuid(),
    first: fc.uuid(),
    next,
    task: fc.constantFrom("add", "mix", "broken"),
    spoilt,
    idle: fc.constantFrom<Argument>(0, 1, "inf", "-inf"),
  })
  .chain(({ id, first, next, task, spoilt, idle }) => {
    const key = flowKey(id);
    const positions = `[{"flow":"${id}","call":0,"next":${next}}]`;
    const later = (call: number) => `[{"flow":"${id}","call":${call},"next":[]}]`;
    const calls = fc
      .tuple(fc.uuid(), fc.uuid())
      .chain(([one, two]) => fc.tuple(callText(one, later(1), "mix"), callText(two, later(2), "add")));
    return fc.tuple(calls, join(next), beside(key), fc.boolean()).map(([[c1, c2], j0, more, sent]) => ({
      kind: "flow",
      ids: [first],
      commands: [
        ["HSET", key, "layout", 2, "remaining", 3, "calls", 3, "maxBytes", 1_000_000, "expires", 60_000],
        ["HSET", key, "replyTo", "", "queues", '["one"]', "links", "[]"],
        ["HSET", key, "customIds", `{"0":"${first}"}`, "callGroups", `[[0,0,{"task":"${task}","queue":"one","positions":${positions}}]]`],
        ["HSET", key, "c1", c1, "c2", c2, "j0", j0, "f1", `{"id":"${first}","task":"add","state":"FAILURE"}`, "v1", "1"],
        ...spoilt.map(([field, value]): Command => ["HSET", key, field, value]),
        ...more,
        ["ZADD", flowIndex, idle, id],
        ["HSET", `${queueKey("one")}${first}`, "name", task, "data", `{"bullrush":2,"args":[1,2],"positions":${positions}}`],
        ...(sent
          ? ([
              ["LPUSH", `${queueKey("one")}wait`, first],
              ["ZADD", `${queueKey("one")}marker`, 0, "0"],
            ] as const)
          : []),
      ],
    }));
  });

/** Names in the index of flows that are none, or flows of another kind. */
const indexed: fc.Arbitrary<Plant> = fc
  .record({ id: fc.oneof(oddBytes, fc.uuid()), score: fc.constantFrom<Argument>(0, "inf", "-inf", 1e300), other: fc.boolean() })
  .map(({ id, score, other }) => ({
    kind: "name in the index of flows",
    commands: [...(other && typeof id === "string" ? [["SET", flowKey(id), "x"] as const] : []), ["ZADD", flowIndex, score, id]],
  }));

/** Messages that say they belong to flows which do not say so. */
const impostor: fc.Arbitrary<Plant> = fc
  .record({ id: fc.uuid(), positions: fc.array(place, { minLength: 1, maxLength: 2 }) })
  .map(({ id, positions }) => ({
    kind: "message of a flow that does not know it",
    ids: [id],
    commands: [
      ["HSET", `${queueKey("two")}${id}`, "name", "add", "data", `{"bullrush":2,"args":[1,2],"positions":[${positions.join(",")}]}`],
      ["LPUSH", `${queueKey("two")}wait`, id],
      ["ZADD", `${queueKey("two")}marker`, 0, "0"],
    ],
  }));

export const flow: fc.Arbitrary<Plant> = fc.oneof(
  { weight: 5, arbitrary: whole },
  { weight: 1, arbitrary: indexed },
  { weight: 1, arbitrary: impostor },
);
