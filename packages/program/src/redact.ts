import { describeFailure, hasFrames, redactNamed, redactUrls, type Failure } from "@bullrush/broker";

/**
 * Removes user and password from the URLs in `text`, and named secrets such as `password=…`; the
 * structure of a URL stays. It reads each character a bounded number of times, since an error's
 * message may be long and come from anywhere.
 */
export function redact(text: string): string {
  return redactNamed(redactUrls(text));
}

/**
 * Redacts `failure` for a log line, down to its innermost cause: an error's message may contain the
 * URL that it was about. A stack without frames is left out.
 */
export function redactFailure(failure: Failure): { readonly error: string; readonly stack?: string } {
  return {
    error: redact(describeFailure(failure)),
    ...(failure.stack !== undefined && hasFrames(failure.stack) && { stack: redact(failure.stack) }),
  };
}
