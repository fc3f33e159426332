import { compileLocation, isMemoryUrl, memoryEngine, memoryNameIn, redisEngine, type Engine } from "@bullrush/broker";
import type { CompiledOptions } from "./options.js";

/**
 * Creates the engine that the scheme of the broker's URL names. Warns of certificates that are not
 * checked.
 */
export function engineFor(options: CompiledOptions): Engine {
  const { name, broker, backend, prefix, publishTimeout: deadline, maxPayload, bullmqEvents } = options;
  if (isMemoryUrl(broker)) {
    const shared = memoryNameIn(broker);
    return memoryEngine({ app: name, prefix, maxPayload, ...(shared !== undefined && { name: shared }) });
  }
  for (const warning of new Set([broker, backend].flatMap((one) => compileLocation(one).warning ?? []))) {
    process.emitWarning(warning, { type: "BullrushWarning", code: "BULLRUSH_UNCHECKED_CERTIFICATE" });
  }
  return redisEngine({ app: name, broker, backend, prefix, deadline, maxPayload, bullmqEvents });
}
