import type { Redis } from "ioredis";
import type { Delivery } from "../ports/delivery.js";
import type { Settlement } from "../ports/settlement.js";
import type { Failure } from "../protocol/failure.js";
import { clippedFailure } from "../protocol/stored-failure.js";
import type { Connection } from "../redis/connection.js";
import { reasonOf } from "../redis/reason.js";
import { runScript } from "../redis/script.js";
import { engineScript } from "./engine.js";
import { nextRun } from "./next-run.js";
import { counted } from "../words.js";

export interface ForeignContext {
  readonly commands: Connection;
  /** What the keys of a queue start with. */
  readonly keyOf: (queue: string) => string;
  /** Longest time that a call may take, in ms. */
  readonly deadline: number;
  /** Settles jobs that are not to run. */
  readonly settle: (settlements: readonly Settlement[]) => Promise<unknown>;
  readonly onConnectionError?: (reason: string) => void;
}

type Fields = readonly [scheduler: string | null, doom: string | null, options: string | null];

const schedule = engineScript("schedule");
const readScript = engineScript("read-external");

/** Longest options of a job that are read, in bytes: no producer writes near as much. The script of an exchange has the same. */
const longestOptions = 65_536;

/**
 * Does for jobs of plain producers what BullMQ's Worker does before it runs them: counts their attempts, schedules the next job of a scheduler,
 * and fails without a run those that a child takes along. Gives the deliveries that are to run. Never rejects: jobs for which that fails are left
 * out, and are taken again when their lease has run out.
 */
export async function beginForeign(deliveries: readonly Delivery[], context: ForeignContext): Promise<readonly Delivery[]> {
  const foreign = deliveries.filter(({ content }) => content.type === "foreign");
  if (foreign.length === 0) return deliveries;
  const ready = new Map<Delivery, Delivery>();
  const doomed: Settlement[] = [];

  async function begin(delivery: Delivery, [scheduler, doom, options]: Fields): Promise<void> {
    if (scheduler !== null) await goOn(delivery, scheduler, options, context);
    if (doom === null) ready.set(delivery, attempt(delivery));
    else doomed.push({ delivery, outcome: { type: "failed", failure: failureOf(doom) } });
  }

  try {
    const fields = await readFields(foreign, context);
    const begun = await Promise.allSettled(foreign.map((delivery, index) => begin(delivery, fields[index] as Fields)));
    if (doomed.length > 0) await context.settle(doomed);
    for (const one of begun) if (one.status === "rejected") throw one.reason;
  } catch (error) {
    context.onConnectionError?.(reasonOf(error));
  }
  return deliveries.flatMap((delivery) => (delivery.content.type === "foreign" ? (ready.get(delivery) ?? []) : delivery));
}

function readFields(deliveries: readonly Delivery[], { commands, keyOf, deadline }: ForeignContext): Promise<readonly Fields[]> {
  const keys = deliveries.map(({ queue, id }) => `${keyOf(queue)}${id}`);
  const read = (client: Redis) => runScript(client, readScript, keys, [longestOptions]) as Promise<readonly Fields[]>;
  return commands.run({ action: `${counted(deliveries.length, "job was", "jobs were")} not begun`, deadline }, read);
}

/** `delivery` with the number of its attempt. */
function attempt(delivery: Delivery): Delivery {
  const { content, endedBefore: retries } = delivery;
  return content.type === "foreign" ? { ...delivery, content: { ...content, message: { ...content.message, retries } } } : delivery;
}

/** Named as BullMQ names it, so that the job is not tried again. */
function failureOf(doom: string): Failure {
  return clippedFailure({ name: "UnrecoverableError", message: doom, stack: `UnrecoverableError: ${doom}` });
}

/** Schedules the next job of a scheduler. When there can be none, the one at hand runs all the same: it is due. */
async function goOn({ queue, id }: Delivery, scheduler: string, options: string | null, context: ForeignContext): Promise<void> {
  const { commands, keyOf, deadline, onConnectionError } = context;
  const now = Date.now();
  const next = await nextRun(scheduler, options ?? "{}", now).catch(() => "its pattern is no cron expression" as const);
  if (next === undefined) return;
  const refusal =
    typeof next === "string"
      ? next
      : await commands.run({ action: `scheduler "${scheduler}" did not go on`, deadline }, (client) =>
          runScript(client, schedule, [keyOf(queue)], [now, scheduler, id, next.at ?? "", JSON.stringify(next.options)]),
        );
  if (typeof refusal === "string") onConnectionError?.(`scheduler "${scheduler}" of queue "${queue}" does not go on: ${refusal}`);
}
