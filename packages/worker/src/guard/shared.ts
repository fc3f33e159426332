/*
 * What a worker and its guard share: memory that the worker writes and the guard reads while the worker's event loop stands still. Offsets in rows and slots are in bytes; numbers
 * are Int32, times are Float64, in ms of `steadyNow`.
 */

/** The pulse of a process, by indexes: a counter that its event loop moves on, whether a debugger is attached (Int32), and when it beat last (Float64). */
export const pulse = { size: 16, beats: 0, debugged: 1, beatAt: 1 } as const;

/** What a worker began last, by indexes: when (Float64), and its row (Int32). */
export const latest = { size: 16, begunAt: 0, row: 2 } as const;

/** A row for each delivery on loan. */
export const row = {
  size: 512,
  state: 0,
  queue: 4,
  task: 8,
  /** 1 if it must not run twice and has begun. */
  once: 12,
  idLength: 16,
  tokenLength: 20,
  heldAt: 24,
  begunAt: 32,
  /** Hard time limit; 0 for none. */
  limit: 40,
  text: 48,
} as const;

/** Rows of one piece of shared memory. */
export const rowsPerBlock = 256;

/** A slot for each call under way that takes messages. */
export const take = { size: 128, state: 0, length: 4, text: 8, slots: 16 } as const;

/** States of rows and slots. `handedBack`: the guard puts back what the call takes. `begun`: the function of the delivery has been called. */
export const free = 0;
export const used = 1;
export const handedBack = 2;
export const begun = 3;

/** Ms that only go forward, the same for all threads of a process. */
export function steadyNow(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** A piece of shared memory, seen as bytes and as numbers. */
export interface Memory {
  readonly shared: SharedArrayBuffer;
  readonly bytes: Buffer;
  readonly numbers: Int32Array;
  readonly times: Float64Array;
}

export function memoryOf(shared: SharedArrayBuffer): Memory {
  return { shared, bytes: Buffer.from(shared), numbers: new Int32Array(shared), times: new Float64Array(shared) };
}
