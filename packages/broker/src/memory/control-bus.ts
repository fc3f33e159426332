import type { ControlBus, ControlCommand } from "../ports/control-bus.js";
import { decodeJson, encodeJson } from "../protocol/json.js";
import type { Access } from "./access.js";
import type { Topic } from "./topic.js";

/** Control messages of a space, as JSON. */
export function memoryControlBus(topic: Topic<ControlCommand>, access: Access): ControlBus {
  const what = "the control message";
  const stops = new Set<() => void>();
  return {
    publish: (command) =>
      access.broker("the workers were not told", () => {
        const text = encodeJson(command, what) as string;
        topic.say(() => decodeJson(text, what) as ControlCommand);
      }),
    subscribe: (listener) =>
      access.broker("control messages were not subscribed to", () => {
        const stop = topic.subscribe(listener);
        stops.add(stop);
        return stop;
      }),
    close: async () => {
      access.close();
      for (const stop of stops) stop();
    },
  };
}
