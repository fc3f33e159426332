// Builds the packages and the benchmarks, then runs them: users run compiled code, and a loader
// would be measured too.
import { program, run } from "../scripts/tools.mjs";

const built = await run([...program("typescript", { name: "tsc" }), "-b", "benchmarks"]);
if (built.code !== 0) {
  console.error(built.output);
  process.exit(built.code);
}
const { code } = await run([process.execPath, "benchmarks/dist/bench.js", ...process.argv.slice(2)], { show: true });
process.exit(code);
