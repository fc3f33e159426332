// node scripts/count-tests.mjs report.json…: adds up vitest's JSON reports into one line, "N
// passed, N failed". A file that fails outside its tests (it does not load, it leaves a connection
// open) counts as one failed test, and so does a run that has no report or no tests.
import { existsSync, readFileSync } from "node:fs";

let passed = 0;
let failed = 0;
for (const path of process.argv.slice(2)) {
  const report = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
  if (report === undefined || report.testResults.length === 0) {
    failed += 1;
    continue;
  }
  const failedOutside = report.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.every((test) => test.status !== "failed"),
  );
  passed += report.numPassedTests;
  failed += report.numFailedTests + failedOutside.length;
}
console.log(`${passed} passed, ${failed} failed`);
