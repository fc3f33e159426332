import { BullrushError, encodeMessage, type Delivery, type Message, type Standing, type Transport } from "@bullrush/broker";

/** Whether a delivery says that it is part of a flow, or stands for other tasks. */
export function needsVouching({ content }: Delivery): boolean {
  return content.type === "message" && (content.message.places !== undefined || content.message.standsFor !== undefined);
}

/**
 * `deliveries` as their flows know them. Whoever may write into a queue may write there that a message stands for a task of another queue, or before a call of any flow. One of which its
 * flow says something else cannot be read. What a flow that has ended had it stand for is dropped: all of that has ended, too. Rejects if the broker cannot be asked.
 */
export async function vouched(transport: Pick<Transport, "standings">, deliveries: readonly Delivery[]): Promise<readonly Delivery[]> {
  const placed = deliveries.map((delivery) => ({ queue: delivery.queue, message: messageOf(delivery) }));
  const standings = await transport.standings(placed);
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

/** It stands nowhere but in its own flow. */
function alone(delivery: Delivery): Delivery {
  const { standsFor, places = [], ...message } = messageOf(delivery);
  if (standsFor === undefined && places.length < 2) return delivery;
  const own: Message = { ...message, places: places.slice(0, 1) };
  return { ...delivery, content: { type: "message", message: own, text: encodeMessage(own, Infinity) } };
}
