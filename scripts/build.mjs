// node scripts/build.mjs: everything that is built, in order: the module of script texts, the types of the packages, their code.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { program, root, run } from "./tools.mjs";

/** Builds the packages, and `projects` of TypeScript besides. Exit code and output of the step that failed, or of the last. */
export async function build(...projects) {
  const tsc = program("typescript", { name: "tsc" });
  const steps = [
    [process.execPath, join(root, "scripts/generate.mjs")],
    [...tsc, "-b", ".", ...projects],
    [process.execPath, join(root, "scripts/bundle.mjs")],
  ];
  for (const step of steps) {
    const { code, output } = await run(step);
    if (code !== 0) return { code, output: `${output}\nThe build failed (${step.slice(1).join(" ")}): see above.` };
  }
  return { code: 0, output: "" };
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { code, output } = await build();
  process.stderr.write(output);
  process.exitCode = code;
}
