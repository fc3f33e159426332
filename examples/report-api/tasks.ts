import { setTimeout } from "node:timers/promises";
import { createApp } from "bullrush";

export const app = createApp({ name: "reports", resultExpires: "1h" });

/** A slow report: a tenth of a second for each row. */
export const report = app.task("reports.report", async function (rows: number) {
  if (rows > 100) throw new RangeError("a report has 100 rows at most");
  let total = 0;
  for (let row = 1; row <= rows; row++) {
    await setTimeout(100);
    total += row;
    await this.progress({ row, rows });
  }
  return { rows, total };
});
