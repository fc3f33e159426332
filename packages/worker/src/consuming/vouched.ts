import { BullrushError, encodeMessage, type Delivery, type Message, type Standing, type Flows } from "@bullrush/broker";

/** Whether a delivery says that it is part of a flow, or stands for other tasks. */
export function needsVouching({ content }: Delivery): boolean {
  return content.type === "message" && (content.message.places !== undefined || content.message.standsFor !== undefined);
}

/**
 * `deliveries` as their flows know them. Whoever may write into a queue may write there that a message stands for a task of another queue, or before a call of any flow. One of which its
 * flow says something else cannot be read. What it says of a flow that has ended, or has not begun, is dropped. Rejects if the broker cannot be asked.
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
      const reason = 'its "places" or "standsFor" are not what its flow says';
      return { ...delivery, content: { type: "undecodable", error: new BullrushError("DECODE_ERROR", { what: "the message", reason }) } };
    }
    case "ended":
      return alone(delivery);
  }
}

/** It stands nowhere: a flow that is not there may begin while it runs, and nobody has vouched for it there. */
function alone(delivery: Delivery): Delivery {
  const { standsFor: _standsFor, places: _places, ...message } = messageOf(delivery);
  return { ...delivery, content: { type: "message", message, text: encodeMessage(message, Infinity) } };
}
