import { compileLocation, isMemoryUrl } from "@bullrush/broker";
import type { App } from "@bullrush/client";

/** The warnings for connections of `app` that do not check the certificate of their server. */
export function uncheckedLinks({ options: { broker, backend } }: App): readonly string[] {
  const warnings = [broker, backend].flatMap((location) => (isMemoryUrl(location) ? [] : (compileLocation(location).warning ?? [])));
  return [...new Set(warnings)];
}
