import * as fc from "fast-check";
import { beatKey, controlChannel, liveReply, type Argument, type Plant } from "../plant.js";
import { jsonOf, mutated } from "./mutation.js";
import { recordText } from "./record.js";
import { oddBytes } from "./value.js";

const control = fc.oneof(
  mutated([
    ["type", '"revoke"'],
    ["ids", '["33333333-3333-4333-8333-333333333333"]'],
    ["reason", '"x"'],
    ["terminate", "true"],
  ]).map(jsonOf),
  oddBytes,
);

const reply = fc.oneof(
  fc.tuple(fc.uuid(), recordText).map(([id, text]): Argument => Buffer.concat([Buffer.from(id), Buffer.from(text as string)])),
  oddBytes,
);

/** Messages on the channels to which workers, producers and beats subscribe. */
export const command: fc.Arbitrary<Plant> = fc.oneof(
  control.map((text): Plant => ({ kind: "control command", commands: [["PUBLISH", controlChannel, text]] })),
  reply.map((text): Plant => ({ kind: "reply", commands: [["PUBLISH", liveReply, text]] })),
  oddBytes.map((text): Plant => ({ kind: "word for beats", commands: [["PUBLISH", beatKey, text]] })),
);
