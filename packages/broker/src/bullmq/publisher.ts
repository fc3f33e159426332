import { BullrushError } from "../errors/error.js";
import type { Refusal } from "../errors/refusal-code.js";
import { encodeMessage, markResent } from "../protocol/envelope.js";
import type { Message, RoutedMessage } from "../protocol/message.js";
import type { Queues } from "../ports/queues.js";
import type { Connection } from "../redis/connection.js";
import { queueKey } from "../redis/keys.js";
import { isRightMissing, refusalIn } from "../redis/refusal.js";
import { runScript, type Argument, type Script } from "../redis/script.js";
import { coalesced } from "./coalesced.js";
import { engineScript } from "./engine.js";
import type { NoteQueues } from "./note-queues.js";
import { counted } from "../errors/words.js";

export interface PublisherOptions {
  /** What the keys of all queues start with. */
  readonly prefix: string;
  /** Longest time until the broker has confirmed a message, in ms. */
  readonly deadline: number;
  /** Longest encoded message in bytes. */
  readonly maxPayload: number;
  readonly noteQueues: NoteQueues;
}

/** An encoded message on its way. */
interface Parcel {
  readonly queue: string;
  readonly message: Message;
  readonly text: string;
  /** Is called with the reason why it was not enqueued, or with `undefined` when it was. */
  readonly settle: (error: unknown) => void;
}

/** Which messages of a call were refused, counted from 1, and why. */
type RefusedReply = readonly (readonly [number, string])[];

/** Most messages that are enqueued in one call, so that none holds Redis for long. */
const maxPublished = 50;

/** Most messages that are in flight at once: the deadline of each begins when it is sent. */
const maxAtOnce = 5000;

const scripts = { plain: engineScript("publish"), single: engineScript("publish-single") };

/** `Queues.publish`: the messages of one tick go out together, up to 50 in a call. */
export function openPublisher(commands: Connection, { prefix, deadline, maxPayload, noteQueues }: PublisherOptions): Queues["publish"] {
  const sendPlain = coalesced<Parcel>(maxPublished, (parcels) => void send(scripts.plain, parcels, () => []));
  const sendSingly = coalesced<Parcel>(maxPublished, (parcels) => void send(scripts.single, parcels, whenAndHowUrgent));

  async function publish(messages: readonly RoutedMessage[]): Promise<readonly (BullrushError | undefined)[]> {
    if (messages.length <= maxAtOnce) return publishAtOnce(messages);
    const errors: (BullrushError | undefined)[] = [];
    for (let at = 0; at < messages.length; at += maxAtOnce) errors.push(...(await publishAtOnce(messages.slice(at, at + maxAtOnce))));
    return errors;
  }

  function publishAtOnce(messages: readonly RoutedMessage[]): Promise<readonly (BullrushError | undefined)[]> {
    return new Promise((resolve, reject) => {
      const errors = messages.map((): BullrushError | undefined => undefined);
      let open = messages.length;
      if (open === 0) resolve(errors);
      messages.forEach((routed, index) => {
        post(routed, (error) => {
          if (error === undefined || error instanceof BullrushError) errors[index] = error;
          else reject(error);
          if (--open === 0) resolve(errors);
        });
      });
    });
  }

  function post({ queue, message, text }: RoutedMessage, settle: Parcel["settle"]): void {
    try {
      const parcel = { queue, message, text: text ?? encodeMessage(message, maxPayload), settle };
      if (message.priority === 0 && (message.eta === undefined || message.eta <= Date.now())) sendPlain(parcel);
      else sendSingly(parcel);
    } catch (error) {
      settle(error);
    }
  }

  /**
   * Enqueues `parcels` in one call. A second try marks them as resent: the first may have enqueued
   * them, and they may have ended by now.
   */
  async function send(
    script: Script,
    parcels: readonly Parcel[],
    more: (message: Message, now: number) => readonly number[],
  ): Promise<void> {
    const queues = byQueue(parcels);
    const keys = [...queues.keys()].map((queue) => queueKey(prefix, queue));
    const inOrder = [...queues.values()].flat();
    try {
      const reply = await commands.run(
        { action: `${counted(parcels.length, "task was", "tasks were")} not confirmed`, deadline },
        (client, repeated) => {
          noteQueues(client, queues.keys());
          const now = Date.now();
          const args: Argument[] = [now];
          for (const list of queues.values()) {
            args.push(list.length);
            for (const { message, text } of list)
              args.push(message.id, message.task, repeated && message.resent !== true ? markResent(text) : text, ...more(message, now));
          }
          return runScript(client, script, keys, args);
        },
      );
      const refusals = new Map((reply as RefusedReply).map(([number, text]) => [number, refusalIn(text)]));
      const denied = refusals.size === 0 ? undefined : await commands.denied([...refusals.values()], script);
      inOrder.forEach(({ message, settle }, index) => {
        const refusal = refusals.get(index + 1);
        settle(refusal && ((isRightMissing(refusal) && denied) || refused(message, refusal)));
      });
    } catch (error) {
      for (const { message, settle } of parcels) settle(unconfirmed(message, error));
    }
  }

  /** The error of one message in a call that may have carried many. */
  function unconfirmed({ id }: Message, error: unknown): unknown {
    if (!(error instanceof BullrushError) || error.code !== "BROKER_UNAVAILABLE") return error;
    const action = `task ${id} was not confirmed; it may still be delivered, and sending it again with the same id is safe`;
    return new BullrushError("BROKER_UNAVAILABLE", { ...(error as BullrushError<"BROKER_UNAVAILABLE">).details, action });
  }

  function refused({ id }: Message, { code, reason }: Refusal): BullrushError {
    const url = commands.display;
    if (code === "out-of-memory") return new BullrushError("BROKER_FULL", { url });
    return new BullrushError("BROKER_UNAVAILABLE", {
      url,
      action: `task ${id} was not accepted`,
      deadline,
      reason,
      refusal: code,
    });
  }

  return publish;
}

function byQueue(parcels: readonly Parcel[]): ReadonlyMap<string, readonly Parcel[]> {
  const queues = new Map<string, Parcel[]>();
  for (const parcel of parcels) {
    const list = queues.get(parcel.queue);
    if (list === undefined) queues.set(parcel.queue, [parcel]);
    else list.push(parcel);
  }
  return queues;
}

/** The priority of a message, and its delay in ms. */
function whenAndHowUrgent({ priority, eta = 0 }: Message, now: number): readonly number[] {
  return [priority, Math.max(0, Math.ceil(eta - now))];
}
