import { metrics, type MetricName, type Sample } from "./metric.js";
import { median } from "./statistics.js";

/** The samples of each contender by its name, one a round, ours first and the peer last. */
export type Samples = ReadonlyMap<string, readonly Sample[]>;

/** One metric of one contender over all rounds. */
export interface Row {
  readonly metric: MetricName;
  readonly contender: string;
  readonly values: readonly number[];
  readonly median: number;
  /** Its median through the peer's; absent for the peer. */
  readonly ratio?: number;
  /** The median of the ratios within each round: what drifts from round to round falls out of it. */
  readonly pairedRatio?: number;
}

/** A row for each metric and contender. */
export function compare(samples: Samples): readonly Row[] {
  const names = [...samples.keys()];
  const peer = names.at(-1) ?? "";
  const valuesOf = (contender: string, metric: MetricName) => (samples.get(contender) ?? []).flatMap((sample) => sample[metric] ?? []);
  return (Object.keys(metrics) as MetricName[]).flatMap((metric) => {
    const theirs = valuesOf(peer, metric);
    if (theirs.length === 0) return [];
    return names.map((contender): Row => {
      const values = valuesOf(contender, metric);
      const row = { metric, contender, values, median: median(values) };
      if (contender === peer) return row;
      const pairs = values.map((value, round) => value / (theirs[round] ?? NaN));
      return { ...row, ratio: row.median / median(theirs), pairedRatio: median(pairs) };
    });
  });
}
