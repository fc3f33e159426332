import * as fc from "fast-check";
import { liveFlow, liveReply, queueKey, queues, resultKey, tasks, type Argument, type Command, type Plant } from "../plant.js";
import { jsonOf, mutated, type Fields } from "./mutation.js";
import { misencoded, oddBytes, oddJson, oddNumber, oddText } from "./value.js";

const optional = [
  "headers",
  "priority",
  "retries",
  "rootId",
  "parentId",
  "groupId",
  "eta",
  "expires",
  "maxRetries",
  "timeLimit",
  "softTimeLimit",
  "to",
  "replyTo",
  "ignoreResult",
  "each",
  "positions",
  "replaces",
  "lastFailure",
  "resent",
];

const target = fc.oneof(
  fc.constantFrom('["steps",0,9007199254740991]', '["step",0]', '["slot",0,0]', '["slot",0,9007199254740991]', '["open",0]', '["link",0]'),
  oddJson,
);

/** A position in a flow, in JSON: of one that is under way, or of none. */
export const place: fc.Arbitrary<string> = fc
  .record({
    flow: fc.oneof(fc.constant(liveFlow), fc.uuid()),
    call: fc.oneof(fc.constantFrom("0", "1"), oddNumber),
    next: fc.array(target, { maxLength: 3 }),
  })
  .map(({ flow, call, next }) => `{"flow":"${flow}","call":${call},"next":[${next.join(",")}]}`);

const specials: fc.Arbitrary<Fields> = fc.oneof(
  fc.array(place, { maxLength: 3 }).map((positions) => [["positions", `[${positions.join(",")}]`] as const]),
  fc.uuid().map((id) => [["replaces", `[{"id":"${id}","task":"add"}]`] as const]),
  fc.constantFrom(liveReply, "bullrush:control:fuzz", "__keyspace@0__:x", "").map((to) => [["replyTo", JSON.stringify(to)] as const]),
  fc.constant([["resent", "true"] as const]),
  fc.constant([]),
);

/** An envelope: what the field `data` of a message holds. */
export const envelope: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom("[1,2]", "[]", "[[1,2]]"), specials)
  .chain(([args, more]) =>
    fc.oneof(
      { weight: 4, arbitrary: mutated([["bullrush", "1"], ["args", args], ...more], optional).map(jsonOf) },
      { weight: 1, arbitrary: fc.constant(jsonOf([["bullrush", "1"], ["args", args], ...more])) },
    ),
  );

const data: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 8, arbitrary: envelope },
  { weight: 2, arbitrary: envelope.chain(misencoded) },
  { weight: 1, arbitrary: oddBytes },
);

const name: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...tasks) },
  { weight: 1, arbitrary: oddText },
  { weight: 1, arbitrary: fc.constant("x".repeat(300_000)) },
);

const sideField = fc.tuple(
  fc.constantFrom(
    "ats",
    "atm",
    "priority",
    "startedDeliveries",
    "revoked",
    "terminate",
    "verdict",
    "unknownSince",
    "opts",
    "timestamp",
    "delay",
    "stc",
    "pb",
    "processedOn",
    "finishedOn",
  ),
  fc.oneof(fc.constantFrom("1", "2", "1000000000", "succeeded", "time-limit 5", "1,2,3"), oddNumber, oddBytes),
);

export const id: fc.Arbitrary<Argument> = fc.oneof(
  { weight: 6, arbitrary: fc.uuid() },
  { weight: 1, arbitrary: oddText },
  { weight: 1, arbitrary: oddBytes },
);

const jobKey = (queue: string, id: Argument): Argument =>
  typeof id === "object" ? Buffer.concat([Buffer.from(queueKey(queue)), id]) : `${queueKey(queue)}${id}`;

/** Keys of a queue that are none of a job: an id that is the name of one does not get a hash. */
const taken = new Set([
  "wait",
  "paused",
  "active",
  "delayed",
  "prioritized",
  "completed",
  "failed",
  "stalled",
  "marker",
  "events",
  "meta",
  "id",
  "pc",
  "limiter",
  "",
]);

/** How an id gets into a queue. */
export const enqueued = (queue: string, id: Argument): fc.Arbitrary<readonly Command[]> => {
  const key = queueKey(queue);
  const score = fc.constantFrom<Argument>(0, 1, "-inf", "inf", 4096, "1e300", -1, 0.5);
  const marker: Command = ["ZADD", `${key}marker`, 0, "0"];
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom<readonly Command[]>([["LPUSH", `${key}wait`, id], marker], [["RPUSH", `${key}wait`, id], marker]),
    },
    { weight: 2, arbitrary: score.map((at): readonly Command[] => [["ZADD", `${key}prioritized`, at, id], marker]) },
    { weight: 2, arbitrary: score.map((at): readonly Command[] => [["ZADD", `${key}delayed`, at, id], marker]) },
    { weight: 2, arbitrary: fc.constant<readonly Command[]>([["LPUSH", `${key}active`, id]]) },
    {
      weight: 1,
      arbitrary: fc.constant<readonly Command[]>([
        ["LPUSH", `${key}active`, id],
        ["SADD", `${key}stalled`, id],
      ]),
    },
  );
};

const hash = fc.record({
  name,
  data,
  side: fc.array(sideField, { maxLength: 3 }),
  without: fc.constantFrom("", "", "", "", "name", "data"),
});

/** Messages of ours with something wrong, in all the places of a queue; hashes that are in none. */
export const message: fc.Arbitrary<Plant> = fc
  .record({ queue: fc.constantFrom(...queues), id, hash })
  .filter(({ hash }) => hash.without !== "name")
  .chain(({ queue, id, hash: { name, data, side, without } }) => {
    const fields: Argument[] = ["name", name, "data", data, "timestamp", "1", ...side.flat()];
    const kept = without === "" ? fields : fields.filter((_, at) => fields[at - (at % 2)] !== without);
    const write: Command = ["HSET", jobKey(queue, id), ...kept];
    const ids = typeof id === "string" && /^[0-9a-f-]{36}$/.test(id) ? [id] : [];
    const writes = taken.has(String(id)) ? [] : [write];
    return fc.oneof(
      {
        weight: 9,
        arbitrary: enqueued(queue, id).map((commands) => ({
          kind: "message",
          ids,
          commands: [...writes, ...commands],
        })),
      },
      { weight: 1, arbitrary: fc.constant({ kind: "hash in no list", ids, commands: writes }) },
    );
  });

/** A message that was sent again, and whose record is spoilt. */
export const resent = (record: fc.Arbitrary<Argument>): fc.Arbitrary<Plant> =>
  fc
    .record({ queue: fc.constantFrom(...queues), id: fc.uuid(), task: fc.constantFrom(...tasks), record })
    .map(({ queue, id, task, record }) => ({
      kind: "resent message with a record",
      ids: [id],
      commands: [
        ["SET", resultKey(id), record],
        ["HSET", `${queueKey(queue)}${id}`, "name", task, "data", '{"bullrush":2,"args":[1,2],"resent":true}'],
        ["LPUSH", `${queueKey(queue)}wait`, id],
        ["ZADD", `${queueKey(queue)}marker`, 0, "0"],
      ],
    }));
