import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const root = fileURLToPath(new URL("../..", import.meta.url));

/** The pages for readers, relative to the root. */
export const pages: readonly string[] = ["README.md", ...["docs", "examples", "packages"].flatMap((folder) => pagesIn(folder))];

function pagesIn(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "node_modules" || entry.name === "dist" ? [] : pagesIn(path);
    return entry.name.endsWith(".md") ? [path] : [];
  });
}
