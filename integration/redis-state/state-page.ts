import { readFileSync } from "node:fs";

/** What docs/reference/redis-state.md says is in Redis. */
export interface StatePage {
  readonly keys: readonly DocumentedKey[];
}

export interface DocumentedKey {
  /** As the page writes it: `bull:<queue>:<id>`. */
  readonly name: string;
  /** As Redis names it, or `channel`. */
  readonly type: string;
  readonly pattern: RegExp;
  /** Of a hash whose fields are documented; empty for others. */
  readonly fields: readonly DocumentedField[];
}

export interface DocumentedField {
  readonly name: string;
  readonly pattern: RegExp;
}

/** What stands for the parts of names that differ. Those of a uuid also fit other ids: of a job, of a tick. */
const parts: Readonly<Record<string, string>> = { n: "\\d+", slot: "\\d+", uuid: "[0-9a-f-]{36}" };

function patternOf(name: string, prefix: string): RegExp {
  const text = name.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll("<prefix>", prefix);
  return new RegExp(`^${text.replace(/<(\w+)>/g, (_, part: string) => parts[part] ?? "[^:]+")}$`);
}

/** The code spans of a cell of a table. */
function namesIn(cell: string): readonly string[] {
  return Array.from(cell.matchAll(/`([^`]+)`/g), ([, name = ""]) => name);
}

interface Row {
  readonly heading: string;
  readonly kind: string;
  readonly cells: readonly string[];
}

/** The rows of all tables whose first column is of keys or of fields. */
function rowsOf(text: string): readonly Row[] {
  let heading = "";
  let kind = "";
  return text.split("\n").flatMap((line) => {
    if (line.startsWith("#")) heading = line;
    const cells = line.startsWith("|")
      ? line
          .slice(1, -1)
          .split("|")
          .map((cell) => cell.trim())
      : [];
    const [first = ""] = cells;
    if (cells.length === 0) kind = "";
    else if (kind === "") kind = first;
    else if (!first.startsWith("-") && !first.startsWith(":")) return [{ heading, kind, cells }];
    return [];
  });
}

/** Reads the page, for keys with `prefix`. */
export function readStatePage(prefix: string): StatePage {
  const rows = rowsOf(readFileSync(new URL("../../docs/reference/redis-state.md", import.meta.url), "utf8"));
  const fieldsOf = (key: string) =>
    rows
      .filter(({ heading, kind }) => kind === "field" && namesIn(heading).includes(key))
      .flatMap(({ cells }) => namesIn(cells[0] ?? "").map((name) => ({ name, pattern: patternOf(name, prefix) })));
  const keys = rows
    .filter(({ kind }) => kind === "key")
    .flatMap(({ cells: [names = "", types = ""] }) => {
      const all = types.split(",").map((type) => type.trim());
      return namesIn(names).map((name, index) => {
        const type = all[index] ?? all[0] ?? "";
        return { name, type, pattern: patternOf(name, prefix), fields: fieldsOf(name) };
      });
    });
  return { keys };
}
