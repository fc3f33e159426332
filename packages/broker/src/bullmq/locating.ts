import { clip, textLimits } from "../clip.js";
import type { Loan, Location, TaskQuery } from "../ports/queues.js";
import { flowKeys } from "../redis/keys.js";
import type { Argument } from "../redis/script.js";
import { readContent } from "./content.js";

/** What `lua/bullmq/locate.lua` says of one task. */
export type LocateReply = 0 | 1 | string | LoanReply;

type LoanReply = readonly [
  queue: string,
  task: string | null,
  worker: string | null,
  since: string | null,
  taken: number,
  ended: number,
  lease: number,
  message: string | null,
  priority: string | null,
];

/** What `lua/bullmq/locate.lua` is asked. `among`: whether the last call of a flow counts as waiting before it has a message. */
export function locateArguments(prefix: string, tasks: readonly TaskQuery[], among: "flows" | "messages" = "flows"): readonly Argument[] {
  const numbers = new Map<string, number>();
  for (const { queues } of tasks) for (const queue of queues) if (!numbers.has(queue)) numbers.set(queue, numbers.size + 1);
  const asked = tasks.flatMap(({ id, queues, elsewhere = false }) => [
    id,
    elsewhere ? "1" : "",
    queues.length,
    ...queues.map((queue) => numbers.get(queue) as number),
  ]);
  return [`${prefix}:`, among === "flows" ? flowKeys(prefix) : "", numbers.size, ...numbers.keys(), ...asked];
}

/** Where the task `id` is. */
export function locationOf(reply: LocateReply, id: string): Location {
  if (typeof reply === "string") return { revoked: clip(reply, textLimits.reason) };
  if (typeof reply === "number") return reply === 1 ? "waiting" : "absent";
  return { taken: loanOf(reply, id) };
}

function loanOf(reply: LoanReply, id: string): Loan {
  const [queue, task, worker, since, delivery, , lease] = reply;
  return {
    queue,
    task: clip(task ?? "", textLimits.name),
    ...(worker !== null && { worker: clip(worker, textLimits.name) }),
    ...(since !== null && { since: Number(since) }),
    attempt: attemptOf(reply, id),
    delivery,
    lease: lease === -1 ? Infinity : lease,
  };
}

/** The message says it; of a long one, and of a job of a plain BullMQ producer, how often it has ended. */
function attemptOf([, task, , , , ended, , text, priority]: LoanReply, id: string): number {
  const content = text === null ? undefined : readContent(id, task, text, priority);
  return (content?.type === "message" ? content.message.retries : ended) + 1;
}
