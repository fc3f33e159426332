import { isOwnFault } from "../errors/refusal.js";
import type { Refusal } from "../errors/refusal-code.js";
import type { Delivery } from "./delivery.js";

/**
 * Whether the settlement of `delivery` was refused because of the delivery itself. A plain BullMQ
 * job may name a key that its worker may not use, as that of its parent. Our own messages name no
 * keys, so a denied key says that the worker has lost a right, which may come back.
 */
export function isFaultOf({ content }: Pick<Delivery, "content">, refusal: Pick<Refusal, "code">): boolean {
  return isOwnFault(refusal) || (content.type === "external" && refusal.code === "key-denied");
}
