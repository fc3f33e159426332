import { readFileSync } from "node:fs";

/** A block of a page, in `ts` or `sh`. */
export interface Step {
  readonly language: "ts" | "sh";
  /** What stands behind the language: `prelude`, or nothing. */
  readonly note: string;
  readonly text: string;
  /** Line of the page on which the text begins, from 1. */
  readonly line: number;
}

/** The claim of a line of code on its result: `// → 300`. */
export interface Claim {
  readonly expected: string;
  /** Line within the text, from 0. */
  readonly line: number;
}

/**
 * Languages of blocks that are shown and not run. Those in `js`, which configure bundlers, are run
 * by `integration/bundles`.
 */
const shown = ["text", "json", "yaml", "js", "dockerfile", "ini", "mermaid"];

/**
 * The steps of the Markdown page `file`, in order. Those inside an HTML comment count too: readers
 * do not see them. Throws for a block in a language that is neither run nor known to be only shown.
 */
export function stepsOf(file: string): readonly Step[] {
  const page = readFileSync(file, "utf8");
  return Array.from(page.matchAll(/^```(\w*) ?(.*)\n([^]*?)^```$/gm)).flatMap(({ 1: language = "", 2: note = "", 3: text = "", index }) => {
    const line = page.slice(0, index).split("\n").length + 1;
    if (language === "ts" || language === "sh") return [{ language, note, text, line }];
    if (shown.includes(language)) return [];
    throw new Error(`${file}:${line - 1}: a block in "${language}" is neither run (ts, sh) nor shown (${shown.join(", ")})`);
  });
}

/** The name of the file that a step in `ts` is, from its first line: `// tasks.ts`. */
export function fileNameOf({ text }: Step): string | undefined {
  return /^\/\/ ([\w-]+\.ts)\n/.exec(text)?.[1];
}

export function claimsOf(text: string): readonly Claim[] {
  return text.split("\n").flatMap((code, line) => {
    const [, expected] = /\/\/ → (.*)$/.exec(code) ?? [];
    return expected === undefined ? [] : [{ expected, line }];
  });
}

/**
 * `text` so that it writes one line for each claim. `console.log(…); // → 300` does that as it
 * stands; `expression; // → 300` and `const sum = expression; // → 300` show the value, and
 * `expression; // → throws …` what it throws.
 */
export function telling(text: string): string {
  const lines = text.split("\n").map((line) => {
    const [, constant, expression = "", claim = ""] = /^(?:const (\w+) = )?(.*?);?\s*\/\/ → (.*)$/.exec(line) ?? [];
    if (claim === "" || expression.startsWith("console.log(")) return line;
    if (claim.startsWith("throws ")) return `await __thrown(async () => ${expression});`;
    return constant === undefined ? `__show(${expression});` : `const ${constant} = ${expression}; __show(${constant});`;
  });
  return `import { show as __show, thrown as __thrown } from "./telling.js"; ${lines.join("\n")}`;
}

/** The text of `telling.ts`, beside the programs. */
export const tellers = `
import { inspect } from "node:util";

function show(value: unknown): void {
  const shown = inspect(value, { depth: 6, breakLength: Infinity }).replaceAll("'", '"').replace(/\\[ | \\]/g, (bracket) => bracket.trim());
  console.log(typeof value === "string" ? JSON.stringify(value) : shown);
}

async function thrown(action: () => unknown): Promise<void> {
  try {
    show(await action());
  } catch (error) {
    const { name, message } = error as Error;
    console.log(\`throws \${name}: \${message}\`);
  }
}

export { show, thrown };
`;

/** Whether `actual` matches a claim, in which `…` stands for anything. */
export function holds(expected: string, actual: string): boolean {
  const parts = expected.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(actual);
}
