import { redacted } from "./secret-names.js";

/**
 * `text` without the user and password of the URLs in it. The form of a URL that an error shows
 * stays as it is. Takes linear time for any text.
 */
export function redactUrls(text: string): string {
  return text.includes("://") ? text.replace(/\S+/g, (word) => (word.includes("://") ? redactWord(word) : word)) : text;
}

/** How an error shows the form of a URL. */
const form = "[user:password@]";

function redactWord(word: string): string {
  const lastAt = word.lastIndexOf("@");
  let shown = "";
  let done = 0;
  for (let colon = word.indexOf("://"); colon !== -1; colon = word.indexOf("://", colon + 3)) {
    const start = colon + 3;
    if (start > lastAt) break;
    // The password of a Redis often has a slash in it, unescaped: all up to the last @ may be part
    // of it.
    const isRedis = /(?:(?:redis|valkey)s?|redis\+socket|unix)$/i.test(word.slice(Math.max(done, colon - 12), colon));
    if (isRedis && (word.startsWith(form, start) || /^[\w.-]{0,200}:\*\*\*@/.test(word.slice(start, start + 210)))) continue;
    const at = isRedis ? lastAt : lastAtWithin(word, start);
    if (at === -1 || colon === done || !/[a-z\d+.-]/i.test(word.charAt(colon - 1))) continue;
    shown += word.slice(done, start) + redacted;
    done = at;
    if (isRedis) break;
  }
  return shown + word.slice(done);
}

/** Where the last @ is in front of the next slash; -1 if there is none. */
function lastAtWithin(word: string, start: number): number {
  const slash = word.indexOf("/", start);
  const within = word.slice(start, slash === -1 ? word.length : slash).lastIndexOf("@");
  return within === -1 ? -1 : start + within;
}
