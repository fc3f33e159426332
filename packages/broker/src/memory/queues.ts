import { BullrushError } from "../errors/error.js";
import { encodeMessage } from "../protocol/envelope.js";
import { readMessage } from "../protocol/read-message.js";
import type { Message, RoutedMessage } from "../protocol/message.js";
import type { Location, Marked, Queues, Remains, Revocation, TaskQuery } from "../ports/queues.js";
import type { Access } from "./access.js";
import type { FlowTable } from "./flows/flow-table.js";
import type { HeldMessage } from "./held-message.js";
import type { QueueTable } from "./queue-table.js";
import type { SpaceTime } from "./space-time.js";

export interface MemoryQueuesOptions {
  readonly queues: QueueTable;
  readonly flows: FlowTable;
  readonly time: SpaceTime;
  readonly access: Access;
  /** Longest encoded message, in bytes. */
  readonly maxPayload: number;
}

/** The queues of a space, as producers and operators see them. */
export function memoryQueues({ queues, flows, time, access, maxPayload }: MemoryQueuesOptions): Queues {
  function publish({ queue, message, text }: RoutedMessage): BullrushError | undefined {
    try {
      queues.add(queue, { ...message, text: text ?? encodeMessage(message, maxPayload) }, message.eta);
      return undefined;
    } catch (error) {
      if (error instanceof BullrushError) return error;
      throw error;
    }
  }

  function locate({ id, queues: names, elsewhere }: TaskQuery): Location {
    const held = queues.named(names, elsewhere).map((queue) => locationOf(queue.name, queue.find(id), time.now()));
    return held.find((location) => location !== "absent") ?? (flows.find(id) === undefined ? "absent" : "waiting");
  }

  function forget(id: string, names: readonly string[]): Remains {
    const found = queues.named(names, true).map((queue): Remains => {
      queue.deadLetters.delete(id);
      const message = queue.find(id);
      if (message === undefined) return "gone";
      const isTaken = message.place === "taken";
      if (message.place !== "ended" && (isTaken || message.revoked === undefined || isOfFlow(message)))
        return isTaken ? "running" : "waiting";
      queue.remove(message);
      return "gone";
    });
    return found.includes("running") ? "running" : found.includes("waiting") ? "waiting" : "gone";
  }

  function revoke(id: string, names: readonly string[], { reason, terminate }: Revocation, elsewhere: boolean): Marked {
    let found: Marked = { location: "absent" };
    for (const queue of queues.named(names, elsewhere)) {
      const message = queue.find(id);
      if (message === undefined) continue;
      if (message.place === "ended") {
        if (found.location === "absent") found = { location: "ended" };
        continue;
      }
      if (terminate) message.terminate = true;
      const { replyTo, positions } = messageIn(message);
      queues.revoke(queue.name, message, reason, positions !== undefined);
      if (found.location === "taken" || (found.location === "waiting" && message.place !== "taken")) continue;
      found = {
        location: message.place === "taken" ? "taken" : "waiting",
        queue: queue.name,
        task: message.task,
        replyTo,
        ...(message.place === "delayed" && message.due > time.now() && { due: message.due }),
      };
    }
    return found;
  }

  return {
    publish: (messages) => access.broker("tasks were not confirmed", () => messages.map(publish)),
    locate: (tasks) => access.broker("tasks were not looked up", () => tasks.map(locate)),
    counts: (names) =>
      access.broker("queues were not counted", () =>
        names.map((queue) => queues.find(queue)?.counts() ?? { queue, waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0 }),
      ),
    forget: (ids, names) => access.broker("tasks were not forgotten", () => ids.map((id) => forget(id, names))),
    purge: (name) => access.broker(`queue "${name}" was not purged`, () => queues.find(name)?.purge() ?? 0),
    revoke: (ids, names, revocation, elsewhere = false) =>
      access.broker("tasks were not revoked", () => ids.map((id) => revoke(id, names, revocation, elsewhere))),
  };
}

/** A message whose loan has run out waits for whoever recovers it. */
function locationOf(queue: string, message: HeldMessage | undefined, now: number): Location {
  if (message === undefined || message.place === "ended") return "absent";
  const { task, loan, deliveries } = message;
  if (loan === undefined || loan.until <= now) return message.revoked === undefined ? "waiting" : { revoked: message.revoked };
  const attempt = messageIn(message).retries + 1;
  return { taken: { queue, task, worker: loan.worker, since: loan.since, attempt, delivery: deliveries, lease: loan.until - now } };
}

function isOfFlow(message: HeldMessage): boolean {
  return messageIn(message).positions !== undefined;
}

function messageIn({ id, task, text }: HeldMessage): Message {
  return readMessage(id, task, text);
}
