import { metrics, type MetricName, type Sample } from "../measuring/metric.js";
import { median } from "../measuring/statistics.js";

/** The results of one contender, one sample per round. */
export interface Series {
  readonly contender: string;
  readonly samples: readonly Sample[];
}

/** One metric of one contender over all rounds. */
export interface Row {
  readonly metric: MetricName;
  readonly contender: string;
  readonly values: readonly number[];
  readonly median: number;
  /** Its median divided by the peer's; absent for the peer, and without one. */
  readonly ratio?: number;
  /**
   * The ratio within each round. Its median is the figure to trust, since drift between rounds
   * cancels out.
   */
  readonly pairedRatios?: readonly number[];
}

/** A row for each metric and contender. */
export function compare(series: readonly Series[], peer: string): readonly Row[] {
  const theirs = series.find(({ contender }) => contender === peer)?.samples ?? [];
  return (Object.keys(metrics) as MetricName[]).flatMap((metric) => {
    const peers = valuesOf(theirs, metric);
    return series.flatMap(({ contender, samples }): readonly Row[] => {
      const values = valuesOf(samples, metric);
      if (values.length === 0) return [];
      const row = { metric, contender, values, median: median(values) };
      if (contender === peer || peers.length === 0) return [row];
      return [{ ...row, ratio: row.median / median(peers), pairedRatios: values.map((value, round) => value / (peers[round] ?? NaN)) }];
    });
  });
}

function valuesOf(samples: readonly Sample[], metric: MetricName): readonly number[] {
  return samples.flatMap((sample) => sample[metric] ?? []);
}
