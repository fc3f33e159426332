/** A long-lived part of a worker. */
export interface Service {
  start(): void;
  stop(): void;
}

/** Does `work` every `interval` ms, and does not wait for it: a hung round must not hold up the next. */
export function every(interval: number, work: () => void): Service {
  let timer: NodeJS.Timeout | undefined;
  return {
    start: () => {
      timer ??= setInterval(work, interval);
    },
    stop: () => {
      clearInterval(timer);
      timer = undefined;
    },
  };
}
