import { markdownTable } from "markdown-table";
import { metrics } from "../measuring/metric.js";
import { median } from "../measuring/statistics.js";
import type { Row } from "./comparison.js";
import type { Report } from "./report.js";

/** Formats `rows` as a Markdown table that is also readable as text. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row, index) => {
    const { title, better } = metrics[row.metric];
    const first = rows[index - 1]?.metric !== row.metric;
    return [first ? `${title} (${better} is better)` : "", row.contender, shown(row.median), rangeOf(row.values), ...ratiosOf(row)];
  });
  return markdownTable([["", "", "median", "least–most", "ratio", "in pairs"], ...cells], { align: ["l", "l", "r", "r", "r", "r"] });
}

/** The first metric of each scenario: ours and the peer's, which are first and last. */
export function summaryOf({ scenarios }: Report): string {
  const cells = scenarios.flatMap(({ name, rows: all }) => {
    const rows = all.filter(({ metric }) => metric === all[0]?.metric);
    const [ours, peer] = [rows[0], rows.at(-1)];
    if (ours === undefined || peer === undefined || ours === peer) return [];
    const { title, better } = metrics[ours.metric];
    return [[name, `${title} (${better} is better)`, shown(ours.median), shown(peer.median), ...ratiosOf(ours)]];
  });
  const head = ["scenario", "", "Bullrush", "BullMQ", "ratio", "in pairs"];
  return markdownTable([head, ...cells], { align: ["l", "l", "r", "r", "r", "r"] });
}

function ratiosOf({ ratio, pairedRatios }: Row): readonly string[] {
  if (ratio === undefined || pairedRatios === undefined) return ["", ""];
  return [`${ratio.toFixed(2)}×`, `${median(pairedRatios).toFixed(2)}× (${rangeOf(pairedRatios)})`];
}

function rangeOf(values: readonly number[]): string {
  return `${shown(Math.min(...values))}–${shown(Math.max(...values))}`;
}

/** Rounds to about three digits. */
function shown(value: number): string {
  const fractions = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { minimumFractionDigits: fractions, maximumFractionDigits: fractions });
}
