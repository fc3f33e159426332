import type { Row } from "./comparison.js";
import { metrics } from "./metric.js";

/** `rows` as text, one block for each metric. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map(cellsOf);
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lines = rows.flatMap(({ metric }, index) => {
    const { title, better } = metrics[metric];
    const [name = "", ...figures] = cells[index] ?? [];
    const line = [name.padEnd(widths[0] ?? 0), ...figures.map((cell, column) => cell.padStart(widths[column + 1] ?? 0))].join("  ");
    return [...(rows[index - 1]?.metric === metric ? [] : [`  ${title} (${better} is better)`]), `    ${line.trimEnd()}`];
  });
  return lines.join("\n");
}

function cellsOf({ contender, values, median, ratio, pairedRatio }: Row): readonly string[] {
  const range = `${formatted(Math.min(...values))}–${formatted(Math.max(...values))}`;
  if (ratio === undefined || pairedRatio === undefined) return [contender, formatted(median), range, "", ""];
  return [contender, formatted(median), range, `${ratio.toFixed(2)}×`, `${pairedRatio.toFixed(2)}× in pairs`];
}

/** Three figures or so. */
function formatted(value: number): string {
  const fractions = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { minimumFractionDigits: fractions, maximumFractionDigits: fractions });
}
