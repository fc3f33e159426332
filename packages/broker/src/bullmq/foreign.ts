import type { Redis } from "ioredis";
import type { Delivery, Settlement } from "../ports/transport.js";
import type { Failure } from "../protocol/failure.js";
import type { Connection } from "../redis/connection.js";
import { reasonOf } from "../redis/reason.js";
import { runScript } from "../redis/script.js";
import { engineScript } from "./engine.js";
import { nextRun } from "./next-run.js";

export interface ForeignContext {
  readonly commands: Connection;
  /** What the keys of a queue start with. */
  readonly keyOf: (queue: string) => string;
  /** Longest time that a call may take, in ms. */
  readonly deadline: number;
  readonly onTrouble?: (reason: string) => void;
}

/** Deliveries, sorted by what is to be done with them. */
export interface Begun {
  readonly ready: readonly Delivery[];
  /** Jobs that have failed before they ran: a child took them along, or they stalled too often for a Worker of BullMQ's. */
  readonly doomed: readonly Settlement[];
}

type Fields = readonly [scheduler: string | null, doom: string | null, options: string | null];

const schedule = engineScript("schedule");

/**
 * Does for jobs of plain producers what BullMQ's Worker does before it runs them: counts their attempts, schedules the next job of a scheduler, and does not run what is doomed.
 * Jobs for which that fails are left out; they are taken again when their lease has run out.
 */
export async function beginForeign(deliveries: readonly Delivery[], context: ForeignContext): Promise<Begun> {
  const foreign = deliveries.filter(({ content }) => content.type === "foreign");
  if (foreign.length === 0) return { ready: deliveries, doomed: [] };
  const begun = new Map<Delivery, Delivery | Settlement | undefined>();
  try {
    const fields = await readFields(foreign, context);
    await Promise.all(foreign.map(async (delivery, index) => begun.set(delivery, await begin(delivery, fields[index] as Fields, context))));
  } catch (error) {
    context.onTrouble?.(error instanceof Error ? error.message : String(error));
  }
  const all = deliveries.map((delivery) => (delivery.content.type === "foreign" ? begun.get(delivery) : delivery));
  return {
    ready: all.filter((one): one is Delivery => one !== undefined && "content" in one),
    doomed: all.filter((one): one is Settlement => one !== undefined && "outcome" in one),
  };
}

function readFields(deliveries: readonly Delivery[], { commands, keyOf, deadline }: ForeignContext): Promise<readonly Fields[]> {
  const readOne = async (client: Redis, { queue, id }: Delivery) =>
    (await client.hmget(`${keyOf(queue)}${id}`, "rjk", "defa", "opts")) as unknown as Fields;
  return commands.run({ action: `${deliveries.length} jobs were not begun`, deadline }, (client) =>
    Promise.all(deliveries.map((delivery) => readOne(client, delivery))),
  );
}

async function begin(delivery: Delivery, fields: Fields, context: ForeignContext): Promise<Delivery | Settlement> {
  const [scheduler, doom, options] = fields;
  if (scheduler !== null) await goOn(delivery, scheduler, options, context);
  const { content } = delivery;
  if (content.type !== "foreign") return delivery;
  if (doom !== null) return { delivery, outcome: { type: "failed", failure: failureOf(doom) } };
  return { ...delivery, content: { type: "foreign", message: { ...content.message, retries: Number(attempts) || 0 } } };
}

/** Named as BullMQ names it, so that the job is not tried again. */
function failureOf(doom: string): Failure {
  return { name: "UnrecoverableError", message: doom, stack: `UnrecoverableError: ${doom}` };
}

/** Schedules the next job of a scheduler. When there can be none, the one at hand runs all the same: it is due. */
async function goOn({ queue, id }: Delivery, scheduler: string, options: string | null, context: ForeignContext): Promise<void> {
  const { commands, keyOf, deadline, onTrouble } = context;
  const now = Date.now();
  const next = await nextRun(scheduler, options ?? "{}", now).catch(() => "no pattern that this worker knows" as const);
  if (next === undefined) return;
  const refusal =
    typeof next === "string"
      ? next
      : await commands.run({ action: `scheduler "${scheduler}" did not go on`, deadline }, (client) =>
          runScript(client, schedule, [keyOf(queue)], [now, scheduler, id, next.at ?? "", JSON.stringify(next.options)]),
        );
  if (typeof refusal === "string") onTrouble?.(`scheduler "${scheduler}" of queue "${queue}" does not go on: ${reasonOf(new Error(refusal))}`);
}
