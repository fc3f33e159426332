import { describeFailure, hasFrames, redactNamed, redactUrls, type Failure } from "@bullrush/broker";

/**
 * `text` without the user and password of the URLs in it, and without the secrets that it names, such as `password=…`; the form of a URL that an error shows stays as it is. Reads each character a bounded
 * number of times, whatever the text is: an error's message may be long, and somebody else's.
 */
export function redact(text: string): string {
  return redactNamed(redactUrls(text));
}

/** `failure` for a log line, down to its innermost reason, and redacted: the message of somebody else's error may show the URL that it was given. A stack without a place in the code is left out. */
export function redactFailure(failure: Failure): { readonly error: string; readonly stack?: string } {
  return {
    error: redact(describeFailure(failure)),
    ...(failure.stack !== undefined && hasFrames(failure.stack) && { stack: redact(failure.stack) }),
  };
}
