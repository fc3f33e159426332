import type { Argument } from "../../redis/script.js";

/** What goes into a call for one entry. */
export interface Load {
  readonly args: readonly Argument[];
  /** How many messages are among them. Default: 0. */
  readonly messages?: number;
}

/**
 * Most that goes into one call, so that none holds Redis for long; what is more by itself goes
 * alone.
 */
const max = { entries: 100, messages: 100, characters: 512 * 1024 };

/** `loads` in their order, as many in each batch as may go into one call. */
export function batchesOf<T extends Load>(loads: readonly T[]): readonly (readonly T[])[] {
  const batches: T[][] = [];
  let room = { entries: 0, messages: 0, characters: 0 };
  for (const load of loads) {
    const messages = load.messages ?? 0;
    const characters = load.args.reduce<number>((sum, argument) => sum + String(argument).length, 0);
    if (room.entries < 1 || room.messages < messages || room.characters < characters) {
      batches.push([]);
      room = { ...max };
    }
    batches.at(-1)?.push(load);
    room = { entries: room.entries - 1, messages: room.messages - messages, characters: room.characters - characters };
  }
  return batches;
}
