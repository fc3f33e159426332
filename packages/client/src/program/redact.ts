import { describeFailure, hasFrames, redactNamed, type Failure } from "@bullrush/broker";

/**
 * `text` without the user and password of the URLs in it, and without the secrets that it names, such as `password=…`; the form of a URL that an error shows stays as it is. Reads each character a bounded
 * number of times, whatever the text is: an error's message may be long, and somebody else's.
 */
export function redact(text: string): string {
  return redactNamed(text.includes("://") ? text.replace(/\S+/g, (word) => (word.includes("://") ? redactWord(word) : word)) : text);
}

/** How an error shows the form of a URL. */
const form = "[user:password@]";

function redactWord(word: string): string {
  const lastAt = word.lastIndexOf("@");
  let redacted = "";
  let done = 0;
  for (let colon = word.indexOf("://"); colon !== -1; colon = word.indexOf("://", colon + 3)) {
    const start = colon + 3;
    if (start > lastAt) break;
    // The password of a Redis often has a slash in it, unescaped: all up to the last @ may be part of it.
    const isRedis = /(?:(?:redis|valkey)s?|redis\+socket|unix)$/i.test(word.slice(Math.max(done, colon - 12), colon));
    if (isRedis && (word.startsWith(form, start) || /^[\w.-]{0,200}:\*\*\*@/.test(word.slice(start, start + 210)))) continue;
    const at = isRedis ? lastAt : lastAtWithin(word, start);
    if (at === -1 || colon === done || !/[a-z\d+.-]/i.test(word.charAt(colon - 1))) continue;
    redacted += `${word.slice(done, start)}***`;
    done = at;
    if (isRedis) break;
  }
  return redacted + word.slice(done);
}

/** Where the last @ is in front of the next slash; -1 if there is none. */
function lastAtWithin(word: string, start: number): number {
  const slash = word.indexOf("/", start);
  const within = word.slice(start, slash === -1 ? word.length : slash).lastIndexOf("@");
  return within === -1 ? -1 : start + within;
}

/** `failure` for a log line, down to its innermost reason, and redacted: the message of somebody else's error may show the URL that it was given. A stack without a place in the code is left out. */
export function redactFailure(failure: Failure): { readonly error: string; readonly stack?: string } {
  return {
    error: redact(describeFailure(failure)),
    ...(failure.stack !== undefined && hasFrames(failure.stack) && { stack: redact(failure.stack) }),
  };
}
