import * as fc from "fast-check";
import { queueKey, queues, tasks, type Plant } from "../plant.js";
import { enqueued } from "./message.js";
import { oddBytes, oddJson, oddNumber } from "./value.js";

const field = fc.tuple(
  fc.constantFrom(
    "opts",
    "parentKey",
    "parent",
    "rjk",
    "nrjid",
    "deid",
    "defa",
    "fpof",
    "cpof",
    "idof",
    "rdof",
    "stc",
    "ats",
    "atm",
    "delay",
    "priority",
    "timestamp",
  ),
  fc.oneof(
    fc.constantFrom(
      '{"attempts":3,"backoff":{"type":"fixed","delay":-1}}',
      '{"removeOnComplete":{"count":"x"}}',
      "fuzz:one:wait",
      "fuzz:two:1",
    ),
    oddNumber,
    oddBytes,
  ),
);

/**
 * Jobs as a plain BullMQ producer adds them, of a task that workers know or not, with fields that
 * are none of BullMQ's.
 */
export const external: fc.Arbitrary<Plant> = fc
  .record({
    queue: fc.constantFrom(...queues),
    id: fc.oneof(fc.nat().map(String), fc.uuid()),
    name: fc.constantFrom(...tasks, "stranger"),
    data: oddJson,
    fields: fc.array(field, { maxLength: 3 }),
  })
  .chain(({ queue, id, name, data, fields }) =>
    enqueued(queue, id).map((commands) => ({
      kind: "external job",
      commands: [
        ["HSET", `${queueKey(queue)}${id}`, "name", name, "data", data, "timestamp", 1, "opts", "{}", ...fields.flat()],
        ...commands,
      ],
    })),
  );
