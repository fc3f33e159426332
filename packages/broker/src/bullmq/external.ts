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
import { counted } from "../errors/words.js";

export interface ExternalContext {
  readonly commands: Connection;
  /** What the keys of a queue start with. */
  readonly keyOf: (queue: string) => string;
  /** Longest time that a call may take, in ms. */
  readonly deadline: number;
  /** Settles jobs that are not to run. */
  readonly settle: (settlements: readonly Settlement[]) => Promise<unknown>;
  readonly onConnectionError?: (reason: string) => void;
}

type Fields = readonly [scheduler: string | null, deferredFailure: string | null, options: string | null];

const schedule = engineScript("schedule");
const readScript = engineScript("read-external");

/** Longest options of a job that are read, in bytes: no producer writes near as much. The script of an exchange has the same. */
const maxOptions = 65_536;

/**
 * Does for jobs of plain producers what BullMQ's Worker does before it runs them: counts their attempts, schedules the next job of a scheduler,
 * and fails without a run those that a child takes along. Gives the deliveries that are to run. Never rejects: jobs for which that fails are left
 * out, and are taken again when their lease has run out.
 */
export async function beginExternal(deliveries: readonly Delivery[], context: ExternalContext): Promise<readonly Delivery[]> {
  const external = deliveries.filter(({ content }) => content.type === "external");
  if (external.length === 0) return deliveries;
  const ready = new Map<Delivery, Delivery>();
  const failed: Settlement[] = [];

  async function begin(delivery: Delivery, [scheduler, deferredFailure, options]: Fields): Promise<void> {
    if (scheduler !== null) await goOn(delivery, scheduler, options, context);
    if (deferredFailure === null) ready.set(delivery, attempt(delivery));
    else failed.push({ delivery, outcome: { type: "failed", failure: failureOf(deferredFailure) } });
  }

  try {
    const fields = await readFields(external, context);
    const begun = await Promise.allSettled(external.map((delivery, index) => begin(delivery, fields[index] as Fields)));
    if (failed.length > 0) await context.settle(failed);
    for (const one of begun) if (one.status === "rejected") throw one.reason;
  } catch (error) {
    context.onConnectionError?.(reasonOf(error));
  }
  return deliveries.flatMap((delivery) => (delivery.content.type === "external" ? (ready.get(delivery) ?? []) : delivery));
}

function readFields(deliveries: readonly Delivery[], { commands, keyOf, deadline }: ExternalContext): Promise<readonly Fields[]> {
  const keys = deliveries.map(({ queue, id }) => `${keyOf(queue)}${id}`);
  const read = (client: Redis) => runScript(client, readScript, keys, [maxOptions]) as Promise<readonly Fields[]>;
  return commands.run({ action: `${counted(deliveries.length, "job was", "jobs were")} not begun`, deadline }, read);
}

/** `delivery` with the number of its attempt. */
function attempt(delivery: Delivery): Delivery {
  const { content, endedBefore: retries } = delivery;
  return content.type === "external" ? { ...delivery, content: { ...content, message: { ...content.message, retries } } } : delivery;
}

/** Named as BullMQ names it, so that the job is not tried again. */
function failureOf(deferredFailure: string): Failure {
  return clippedFailure({ name: "UnrecoverableError", message: deferredFailure, stack: `UnrecoverableError: ${deferredFailure}` });
}

/** Schedules the next job of a scheduler. When there can be none, the one at hand runs all the same: it is due. */
async function goOn({ queue, id }: Delivery, scheduler: string, options: string | null, context: ExternalContext): Promise<void> {
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
