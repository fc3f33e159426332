import * as fc from "fast-check";
import { ownQueueKey, queueKey, queues, type Argument, type Command, type Plant } from "../plant.js";
import { enqueued, id } from "./message.js";
import { oddBytes, oddText } from "./value.js";

/** Ids without a hash, and ids whose key holds something of another kind. */
const strayId: fc.Arbitrary<Plant> = fc
  .record({ queue: fc.constantFrom(...queues), id, uuid: fc.uuid(), other: fc.constantFrom("none", "string", "list") })
  .chain(({ queue, id, uuid, other }) => {
    const key = `${queueKey(queue)}${uuid}`;
    const writes: Record<string, readonly Command[]> = { none: [], string: [["SET", key, "x"]], list: [["RPUSH", key, "x"]] };
    return enqueued(queue, other === "none" ? id : uuid).map((commands) => ({
      kind: other === "none" ? "id without a hash" : `id of a ${other}`,
      commands: [...(writes[other] ?? []), ...commands],
    }));
  });

const score = fc.constantFrom<Argument>(0, "-inf", "inf", 1e15, -5, 0.25, 1e300);

/** Members of what a queue keeps for observers and for recovery. */
const keptItem: fc.Arbitrary<Plant> = fc
  .record({ queue: fc.constantFrom(...queues), item: fc.oneof(oddText, oddBytes, fc.uuid()), score, lock: fc.boolean() })
  .chain(({ queue, item, score }) => {
    const key = queueKey(queue);
    const own = ownQueueKey(queue);
    return fc
      .constantFrom<Command>(
        ["ZADD", `${key}completed`, score, item],
        ["ZADD", `${key}failed`, score, item],
        ["SADD", `${key}stalled`, item],
        ["ZADD", `${key}marker`, score, item],
        ["ZADD", `${own}dead-letters`, score, item],
        ["SADD", "bullrush:queues:fuzz", item],
      )
      .map((command) => ({ kind: "item of a set", commands: [command] }));
  });

/** What stands under a job's key beside its hash. */
const lock: fc.Arbitrary<Plant> = fc
  .record({ queue: fc.constantFrom(...queues), id: fc.uuid(), token: oddBytes, list: fc.boolean() })
  .map(({ queue, id, token, list }) => {
    const key = `${queueKey(queue)}${id}`;
    return {
      kind: "message with a lock",
      ids: [id],
      commands: [
        ["HSET", key, "name", "add", "data", '{"bullrush":2,"args":[1,2]}'],
        list ? ["RPUSH", `${key}:lock`, token] : ["SET", `${key}:lock`, token, "PX", 3000],
        ["LPUSH", `${queueKey(queue)}${list ? "wait" : "active"}`, id],
      ],
    };
  });

export const listItem: fc.Arbitrary<Plant> = fc.oneof(
  { weight: 4, arbitrary: strayId },
  { weight: 3, arbitrary: keptItem },
  { weight: 1, arbitrary: lock },
);
