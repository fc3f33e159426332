import type { Producer } from "../contenders/contender.js";

/** Sends tasks `first` to `last - 1`, `width` at a time: the next lot when all of one are confirmed. */
export async function sendInLots(producer: Producer, first: number, last: number, width: number): Promise<void> {
  for (let at = first; at < last; at += width) {
    const lot = Math.min(width, last - at);
    await Promise.all(Array.from({ length: lot }, (_, index) => producer.send(at + index)));
  }
}

/** Asks for tasks `first` to `last - 1`, at most `width` at a time: the next as soon as one is answered. Throws if an answer is not what was sent. */
export async function askAll(producer: Producer, first: number, last: number, width: number): Promise<void> {
  let next = first;
  const lane = async (): Promise<void> => {
    while (next < last) {
      const sent = next++;
      const answer = await producer.ask(sent);
      if (answer !== sent) throw new Error(`task ${sent} gave ${answer}`);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}
