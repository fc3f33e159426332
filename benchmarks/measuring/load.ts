import type { Producer } from "../contenders/contender.js";
import type { Sent } from "./setting.js";

/**
 * How many of the sent tasks are checked afterwards: the last ones, because some libraries keep
 * only the last 1,000 results.
 */
const sample = 100;

/**
 * Calls `send` for `first` to `last - 1`, `width` at a time: the next batch when all of one are
 * confirmed. Returns the last 100 or so.
 */
export async function sendInLots(
  first: number,
  last: number,
  width: number,
  send: (numbers: readonly number[]) => Promise<readonly { readonly id?: string | undefined }[]>,
): Promise<readonly Sent[]> {
  let latest: readonly Sent[] = [];
  for (let at = first; at < last; at += width) {
    const numbers = Array.from({ length: Math.min(width, last - at) }, (_, index) => at + index);
    const handles = await send(numbers);
    if (last - at > Math.max(sample, width)) continue;
    const batch = numbers.map((number, index) => ({ number, id: handles[index]?.id ?? "" }));
    latest = [...latest, ...batch].slice(-sample);
  }
  return latest;
}

/**
 * Requests tasks `first` to `last - 1`, at most `width` at a time: the next as soon as one is
 * answered. Throws if an answer is wrong.
 */
export async function askAll(producer: Producer, first: number, last: number, width: number): Promise<void> {
  let next = first;
  const lane = async (): Promise<void> => {
    while (next < last) {
      const sent = next++;
      const answer = await producer.ask(sent);
      if (answer !== sent) throw new Error(`task ${sent} gave ${String(answer)}`);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}
