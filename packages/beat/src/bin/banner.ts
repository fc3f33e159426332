import { clip } from "@bullrush/broker";
import type { App, ListedEntry } from "@bullrush/client";
import { printable } from "@bullrush/program";
import type { CompiledBeatOptions } from "../options.js";

/** Maximum length of an entry's text in the banner, in characters. */
const maxCharacters = 500;

/** The banner that a beat prints when it starts. It never contains a password. */
export function bannerFacts(app: App, { maxInterval }: CompiledBeatOptions, entries: readonly Pick<ListedEntry, "name" | "schedule">[]) {
  return {
    app: app.options.name,
    broker: app.engine.display.broker,
    timezone: app.options.timezone,
    maxInterval,
    entries: entries.map(({ name, schedule }) => clip(`${name}: ${schedule}`, maxCharacters)),
  };
}

/** Maximum number of entries in the banner; of the others it shows the count. */
const maxShown = 20;

/** Formats the banner for a terminal. */
export function bannerText({ app, broker, timezone, maxInterval, entries }: ReturnType<typeof bannerFacts>, version: string): string {
  const further = entries.length - maxShown;
  return [
    "",
    `  bullrush ${version}  beat`,
    "",
    `  app      ${app}`,
    `  broker   ${broker}`,
    `  zone     ${timezone}`,
    `  looks    every ${maxInterval} ms at least`,
    "",
    "  entries",
    ...(entries.length === 0 ? ["    none"] : entries.slice(0, maxShown).map((entry) => `    ${printable(entry)}`)),
    ...(further > 0 ? [`    and ${further} more`] : []),
    "",
    "",
  ].join("\n");
}
