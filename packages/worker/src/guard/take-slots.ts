import type { TakeWatch } from "@bullrush/broker";
import { free, handedBack, take, used, type Memory } from "./shared.js";

/** What `begun` gives for a call that is not watched, because there are too many. */
const unwatched = -1;

/** The calls under way that take messages, as the worker writes them. */
export function takeSlots({ bytes, numbers }: Memory): TakeWatch {
  const stateOf = (slot: number) => (slot * take.size + take.state) / 4;
  return {
    begun(token) {
      for (let slot = 0; slot < take.slots; slot++) {
        if (Atomics.load(numbers, stateOf(slot)) !== free) continue;
        const at = slot * take.size;
        numbers[(at + take.length) / 4] = bytes.write(token, at + take.text, take.size - take.text);
        Atomics.store(numbers, stateOf(slot), used);
        return slot;
      }
      return unwatched;
    },
    ended(slot) {
      return slot === unwatched || Atomics.exchange(numbers, stateOf(slot), free) !== handedBack;
    },
  };
}

/**
 * Takes all calls under way from the worker, which then drops what they give, and gives what the tokens of all start with that were taken from it: Redis may come to one only
 * after what it had taken was put back.
 */
export function handBack({ bytes, numbers }: Memory): readonly string[] {
  const tokens: string[] = [];
  for (let slot = 0; slot < take.slots; slot++) {
    const at = slot * take.size;
    const length = numbers[(at + take.length) / 4] ?? 0;
    const token = bytes.toString("utf8", at + take.text, at + take.text + length);
    if (Atomics.compareExchange(numbers, (at + take.state) / 4, used, handedBack) !== free) tokens.push(token);
  }
  return tokens;
}
