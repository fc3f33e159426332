import { readFileSync } from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { initSync, parse } from "cjs-module-lexer";
import type { Compiled } from "./compiled.js";
import type { Compiler } from "./compiler.js";
import { isTypeScript } from "./files.js";
import type { Resolver } from "./resolver.js";

/**
 * An ES module that exports what the CommonJS module in `file` exports. `require` loads it, so that
 * there is one instance for both kinds of import.
 */
export function facade(file: string, compiled: Compiled, compiler: Compiler, resolver: Resolver): string {
  initSync();
  const names = new Set<string>();
  collect(file, compiled.code);
  names.delete("default");
  names.delete("module.exports");
  const values = [...names].map((name, index) => [JSON.stringify(name), `value${index}`] as const);
  return [
    `import { createRequire } from "node:module";`,
    `const all = createRequire(import.meta.url)(${JSON.stringify(file)});`,
    `export { all as "module.exports" };`,
    `export default ${compiled.translated ? `all.default` : "all"};`,
    ...values.map(([name, value]) => `const ${value} = all?.[${name}];\nexport { ${value} as ${name} };`),
  ].join("\n");

  function collect(place: string, code: string, seen = new Set([place])): void {
    const { exports, reexports } = exportsOf(code);
    for (const name of exports) names.add(name);
    for (const specifier of reexports) {
      const other = locate(specifier, place, resolver);
      if (other === undefined || seen.has(other)) continue;
      seen.add(other);
      collect(other, isTypeScript(other) ? compiler.compile(other).code : readFileSync(other, "utf8"), seen);
    }
  }
}

function locate(specifier: string, parent: string, resolver: Resolver): string | undefined {
  if (isBuiltin(specifier)) return undefined;
  try {
    return resolver.find(specifier, parent) ?? createRequire(parent).resolve(specifier);
  } catch {
    // Loading it will report the error.
    return undefined;
  }
}

function exportsOf(code: string): ReturnType<typeof parse> {
  try {
    return parse(code);
  } catch {
    // No CommonJS.
    return { exports: [], reexports: [] };
  }
}
