// node scripts/generate.mjs [--check]: writes the module with the texts of all Lua scripts, so that
// programs can be bundled. The .lua files are the source. With --check it only compares the module
// with them.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./tools.mjs";

const folder = join(root, "packages/broker/lua");
const target = "packages/broker/src/redis/script-texts.ts";

/** Exit code and output, for `check.mjs`. */
export function checkGenerated() {
  const fresh = existsSync(join(root, target)) && readFileSync(join(root, target), "utf8") === moduleText();
  return { code: fresh ? 0 : 1, output: fresh ? "" : `${target} is not what packages/broker/lua gives: run node scripts/generate.mjs\n` };
}

function moduleText() {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".lua"));
  const entries = files
    .map((file) => ({ path: file.slice(0, -".lua".length).split(sep).join("/"), text: readFileSync(join(folder, file), "utf8") }))
    .toSorted((one, other) => (one.path < other.path ? -1 : 1))
    .map(({ path, text }) => `  ${JSON.stringify(path)}: \`${escaped(text)}\`,\n`);
  return `// Generated from the files in lua/ by scripts/generate.mjs: edit those, then run it.

/** The text of each script in \`lua/\`, by its path without \`.lua\`. */
export const scriptTexts: Readonly<Record<string, string>> = {
${entries.join("")}};
`;
}

/** As a template literal, line by line, so that a change in a script is the same change here. */
function escaped(text) {
  return text.replaceAll("\r\n", "\n").replace(/[\\`]|\$\{/g, "\\$&");
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { code, output } = checkGenerated();
  if (process.argv.includes("--check")) {
    process.stderr.write(output);
    process.exitCode = code;
  } else if (code !== 0) {
    writeFileSync(join(root, target), moduleText());
    console.log(`wrote ${target}`);
  }
}
