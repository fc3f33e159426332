import { BullrushError, encodeMessage, type Delivery, type Message, type Standing, type Flows } from "@bullrush/broker";

/** Whether a delivery says that it is part of a flow, or stands for other tasks. */
export function needsVouching({ content }: Delivery): boolean {
  return content.type === "message" && (content.message.positions !== undefined || content.message.replaces !== undefined);
}

/**
 * `deliveries` as their flows know them. Whoever may write into a queue may write there that a message stands for a task of another queue, or before a call of any flow. One of which its
 * flow says something else cannot be read; one of a flow in another layout is put back for a worker that reads it. What it says of a flow that has ended, or has not begun, is dropped. Rejects if the broker cannot be asked.
 */
export async function vouched(flows: Pick<Flows, "standings">, deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
  const placed = deliveries.map((delivery) => ({ queue: delivery.queue, message: messageOf(delivery) }));
  const standings = await flows.standings(placed);
  return deliveries.map((delivery, index) => known(delivery, standings[index] ?? "forged"));
}

function messageOf({ content }: Delivery): Message {
  if (content.type === "message") return content.message;
  throw new TypeError("only messages stand in flows");
}

function known(delivery: Delivery, standing: Standing): Delivery {
  switch (standing) {
    case "sound":
      return delivery;
    case "forged": {
      const reason = 'its "positions" or "replaces" are not what its flow says';
      return { ...delivery, content: { type: "undecodable", error: new BullrushError("DECODE_ERROR", { what: "the message", reason }) } };
    }
    case "other-layout": {
      const error = new BullrushError("DECODE_ERROR", {
        what: "the message",
        reason: "its flow is kept in a layout that another release reads",
      });
      return { ...delivery, content: { type: "undecodable", error, taskOfOtherVersion: messageOf(delivery).task } };
    }
    case "ended":
      return alone(delivery);
  }
}

/** It stands nowhere: a flow that is not there may begin while it runs, and nobody has vouched for it there. */
function alone(delivery: Delivery): Delivery {
  const { replaces: _replaces, positions: _positions, ...message } = messageOf(delivery);
  return { ...delivery, content: { type: "message", message, text: encodeMessage(message, Infinity) } };
}
