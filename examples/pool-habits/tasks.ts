import { createApp, type FailureInfo } from "bullrush";

export const app = createApp({ name: "habits", queues: ["computing", "fetching"], defaultQueue: "computing" });

/**
 * `base ** exponent` in full, and 0.3 s that stand for more work: as computing does, they keep the
 * process from doing anything else.
 */
export const power = app.task("habits.power", (base: number, exponent: number = 20) => {
  if (exponent < 0) throw new RangeError(`${base} ** ${exponent} is not whole`);
  block(300);
  return String(BigInt(base) ** BigInt(exponent));
});

/** Hardly worth sending by itself. */
export const square = app.task("habits.square", (n: number) => n * n);

/** Never ends, and ignores its signal. */
export const stuck = app.task("habits.stuck", (_: number) => block(Infinity));

/** The text at `url`. While it waits for it, its worker does other things. */
export const fetchText = app.task("habits.fetchText", { queue: "fetching" }, async function (url: string) {
  const response = await fetch(url, { signal: this.signal });
  return response.text();
});

/** A callback that runs on a worker, where it could store the value. */
export const store = app.task("habits.store", { queue: "fetching" }, (value: string) => value);

/** An error callback that runs on a worker. */
export const regret = app.task(
  "habits.regret",
  { queue: "fetching" },
  ({ task, failure }: FailureInfo) => `${task} failed: ${failure?.message}`,
);

function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
