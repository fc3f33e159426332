import { markdownTable } from "markdown-table";
import { median } from "../measuring/statistics.js";
import type { ScriptCost } from "./measure.js";

/** `costs` as a Markdown table, which can be read as text too. */
export function scriptTable(costs: readonly ScriptCost[]): string {
  const rows = costs.flatMap(({ title, series }) =>
    series.map(({ name, values }, index) => [
      index === 0 ? title : "",
      name,
      median(values).toFixed(2),
      `${Math.min(...values).toFixed(2)}–${Math.max(...values).toFixed(2)}`,
    ]),
  );
  return markdownTable([["", "", "median, µs", "least–most"], ...rows], { align: ["l", "l", "r", "r"] });
}
