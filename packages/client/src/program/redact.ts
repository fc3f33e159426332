import { describeFailure, type Failure } from "@bullrush/broker";

/** `text` without the user and password of the URLs in it; the form of a URL that an error shows stays as it is. */
export function redact(text: string): string {
  return text.replace(
    /\b(rediss?:\/\/)(?!\[user:password@\])\S*@|\b(?!rediss?:)([a-z][a-z\d+.-]*:\/\/)[^\s/]*@/gi,
    (_, redis?: string, other?: string) => `${redis ?? other}***@`,
  );
}

/** `failure` for a log line, redacted: the message of somebody else's error may show the URL that it was given. */
export function redactFailure(failure: Failure): { readonly error: string; readonly stack?: string } {
  return { error: redact(describeFailure(failure)), ...(failure.stack !== undefined && { stack: redact(failure.stack) }) };
}
