import { Histogram, Registry } from "prom-client";

/** The metrics of a beat, in Prometheus' format. */
export interface Metrics {
  /** Records a tick that was sent `ms` after it was due. */
  sent(ms: number): void;
  text(): Promise<string>;
}

/** Bucket bounds in seconds, from 1 ms to one minute. */
const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export function openMetrics(): Metrics {
  const registry = new Registry();
  const lateness = new Histogram({
    name: "beat_tick_lateness_seconds",
    help: "How long after it was due a tick was sent",
    buckets,
    registers: [registry],
  });
  return { sent: (ms) => lateness.observe(Math.max(0, ms) / 1000), text: () => registry.metrics() };
}
