// Builds the packages and the benchmarks, then runs one of these, `bench` by default: compiled code is what users run, and a loader would be measured too.
import { build } from "../scripts/build.mjs";
import { run } from "../scripts/tools.mjs";

const built = await build("benchmarks");
if (built.code !== 0) {
  console.error(built.output);
  process.exit(built.code);
}
const args = process.argv.slice(2);
const name = args[0] === "script-costs" ? args.shift() : "bench";
const { code } = await run([process.execPath, `benchmarks/dist/${name}.js`, ...args], { show: true });
process.exit(code);
