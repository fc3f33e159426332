export interface Metric {
  readonly title: string;
  /** Whether more or less is better. */
  readonly better: "more" | "less";
}

/** All metrics; each scenario measures some of them. The plot shows its first. */
export const metrics = {
  rate: { title: "tasks/s", better: "more" },
  sendRate: { title: "tasks/s sent", better: "more" },
  drainRate: { title: "tasks/s done", better: "more" },
  nodeCpu: { title: "µs of CPU in Node a task", better: "less" },
  redisCpu: { title: "µs of CPU in Redis a task", better: "less" },
  startP50: { title: "ms until the task starts, p50", better: "less" },
  startP99: { title: "ms until the task starts, p99", better: "less" },
  resultP50: { title: "ms until its result is there, p50", better: "less" },
  resultP99: { title: "ms until its result is there, p99", better: "less" },
  offered: { title: "tasks/s sent meanwhile", better: "more" },
  waitingBytes: { title: "bytes of Redis a waiting task", better: "less" },
  idleMemory: { title: "MB of a worker that has run nothing", better: "less" },
  usedMemory: { title: "MB of a worker that has run all", better: "less" },
} as const satisfies Record<string, Metric>;

export type MetricName = keyof typeof metrics;

/** The result of one run of one contender. */
export type Sample = Readonly<Partial<Record<MetricName, number>>>;
