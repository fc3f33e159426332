// Builds the packages, whose processes are fuzzed, and then runs the fuzzer.
import { build } from "../../scripts/build.mjs";
import { program, run } from "../../scripts/tools.mjs";

const built = await build();
if (built.code !== 0) {
  console.error(built.output);
  process.exit(built.code);
}
const { code } = await run(
  [...program("jiti", { folder: "examples/routed-queues" }), "integration/fuzz/fuzz.ts", ...process.argv.slice(2)],
  {
    show: true,
  },
);
process.exit(code);
