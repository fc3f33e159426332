/** A long-lived part of a worker. */
export interface Service {
  start(): void;
  stop(): void;
}

/**
 * Does `work` every `interval` ms, and does not wait for it: a hung round must not hold up the next. The signal aborts at `stop`: what
 * fails after that is no news.
 */
export function every(interval: number, work: (stopped: AbortSignal) => void): Service {
  const stopped = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  return {
    start: () => {
      timer ??= setInterval(() => work(stopped.signal), interval);
    },
    stop: () => {
      clearInterval(timer);
      stopped.abort();
    },
  };
}
