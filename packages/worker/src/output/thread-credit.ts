/** What a thread may have told that its worker has not heard yet, in characters. */
const most = 1_000_000;

/** Memory in which a worker says how much of a thread's output it has heard. */
export function creditMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(4);
}

/** The worker has heard `length` more characters. */
export function acknowledgeOutput(memory: SharedArrayBuffer, length: number): void {
  const heard = new Int32Array(memory);
  Atomics.add(heard, 0, length);
  Atomics.notify(heard, 0);
}

/** The thread's side: to be called with the length of each output that it tells. Blocks the thread while its worker is too far behind, so that their memory stays bounded. */
export function outputCredit(memory: SharedArrayBuffer): (length: number) => void {
  const heard = new Int32Array(memory);
  let told = 0;
  return (length) => {
    told = (told + length) | 0;
    for (let now = Atomics.load(heard, 0); ((told - now) | 0) > most; now = Atomics.load(heard, 0)) Atomics.wait(heard, 0, now, 1000);
  };
}
