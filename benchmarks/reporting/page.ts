import { stands } from "../measuring/options.js";
import type { Report } from "./report.js";
import { summaryOf, tableOf } from "./table.js";

/** The marks of figures on a page: `<!-- figures: NAME -->`, then `<!-- end of figures -->`. */
const marks = /(<!-- figures: ([\w-]+) -->\n)[^]*?(<!-- end of figures -->)/g;

/**
 * The page with its figures replaced by those of `report`. NAME is `surroundings`, `summary`, or
 * the name of a scenario or its first words. Throws for a page without any mark.
 */
export function fillPage(page: string, report: Report): string {
  if (page.match(marks) === null) throw new Error("the page has no marks for figures");
  return page.replace(marks, (_, start: string, name: string, end: string) => `${start}\n${partOf(name, report)}\n\n${end}`);
}

function partOf(name: string, report: Report): string {
  if (name === "summary") return summaryOf(report);
  if (name === "surroundings") {
    const { date, rounds, surroundings, warnings, failures } = report;
    const lines = [`Measured on ${date.slice(0, 10)}, ${rounds} ${rounds === 1 ? "round" : "rounds"}`, ...surroundings];
    const notes = [...warnings, ...failures].map((line) => `Note: ${line}`);
    return [...lines, ...notes].map((line) => `- ${line}`).join("\n");
  }
  const scenarios = report.scenarios.filter((scenario) => stands(name, scenario.name));
  if (scenarios.length === 0) return "Not measured in this run.";
  return scenarios.map(({ name, title, rows }) => `\`${name}\`: ${title}\n\n${tableOf(rows)}`).join("\n\n");
}
