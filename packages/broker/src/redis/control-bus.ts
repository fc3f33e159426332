import { clip, textLimits } from "../errors/clip.js";
import { isTaskId } from "../protocol/id.js";
import type { ControlBus, ControlCommand } from "../ports/control-bus.js";
import { decodeJson } from "../json/json.js";
import { openConnection, type Connection, type ConnectionOptions } from "./connection.js";
import type { DeadLinks } from "./dead-links.js";
import { controlChannel } from "./keys.js";
import { compileLocation, type RedisLocation } from "./location.js";
import { openSubscription } from "./subscription.js";

export interface RedisControlBusOptions {
  readonly location: RedisLocation;
  /** What the keys of all queues start with: each prefix has workers of its own. */
  readonly prefix: string;
  /** Longest time of a call, outages included, in ms. Default: 5000. */
  readonly deadline?: number;
  /** Shared with the other connections of the app. */
  readonly deadLinks?: DeadLinks;
  readonly onConnectionError?: (reason: string) => void;
}

/**
 * Control messages as JSON on one channel of the broker. Nothing is connected before the first
 * call.
 */
export function redisControlBus(options: RedisControlBusOptions): ControlBus {
  const { prefix, deadline = 5000, deadLinks, onConnectionError } = options;
  const location = compileLocation(options.location);
  const channel = controlChannel(prefix);
  const shared = { ...(deadLinks && { deadLinks }), ...(onConnectionError && { onConnectionError }) };
  const connect = (name: string, { holdsProcess, onReplaced }: Pick<ConnectionOptions, "holdsProcess" | "onReplaced">): Connection =>
    openConnection(location, {
      service: "broker",
      name: `bullrush:${name}`,
      ...shared,
      ...(holdsProcess === false && { holdsProcess }),
      ...(onReplaced && { onReplaced }),
    });
  const commands = connect("control", { holdsProcess: false });
  const heard = openSubscription((onReplaced) => connect("controlled", { onReplaced }), {
    channel,
    action: "control messages were not subscribed to",
    deadline,
  });

  async function publish(command: ControlCommand): Promise<void> {
    const text = JSON.stringify(command);
    await commands.run({ action: "the workers were not told", deadline }, (client) => client.publish(channel, text));
  }

  async function subscribe(listener: (command: ControlCommand) => void): Promise<() => void> {
    return heard.subscribe((text) => {
      const command = commandIn(text);
      if (command !== undefined) listener(command);
    });
  }

  async function close(): Promise<void> {
    heard.close();
    commands.close();
  }

  return { publish, subscribe, close };
}

/** The command in `text`; `undefined` if it is none, or one of a newer version. */
function commandIn(text: string): ControlCommand | undefined {
  const value = decoded(text);
  if (typeof value !== "object" || value === null) return undefined;
  const { type, ids, reason, terminate } = value as Partial<Record<string, unknown>>;
  const isRevocation = type === "revoke" && Array.isArray(ids) && ids.every(isTaskId) && typeof reason === "string";
  return isRevocation ? { type, ids, reason: clip(reason, textLimits.reason), terminate: terminate === true } : undefined;
}

function decoded(text: string): unknown {
  try {
    return decodeJson(text, "the control message");
  } catch {
    return undefined;
  }
}
