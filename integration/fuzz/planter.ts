import { Redis } from "ioredis";
import { flowIndex, liveFlow, liveReply, type Argument, type Command, type Plant } from "./plant.js";

/**
 * Plants one thing after the other. What Redis refuses, such as a member of a set that is a list by
 * now, is refused.
 */
export interface Planter {
  plant(plant: Plant): Promise<void>;
  close(): void;
}

export const planterName = "planter";

export function openPlanter(url: string): Planter {
  const redis = new Redis(url, { replyMapping: "legacy", connectionName: planterName });
  async function placeholders(commands: readonly Command[]): Promise<(argument: Argument) => Argument> {
    const asked = (text: string) => commands.some((command) => command.some((one) => typeof one === "string" && one.includes(text)));
    const flow = asked(liveFlow) ? await aFlow() : undefined;
    const channel = asked(liveReply) ? await aChannel() : undefined;
    return (argument) => {
      if (typeof argument !== "string") return argument;
      return argument.replaceAll(liveFlow, () => flow ?? liveFlow).replaceAll(liveReply, () => channel ?? liveReply);
    };
  }
  async function aFlow(): Promise<string | undefined> {
    const ids = await redis.zrangebyscore(flowIndex, Date.now() - 10_000, Date.now() + 10_000, "LIMIT", 0, 1);
    return ids[0];
  }
  async function aChannel(): Promise<string | undefined> {
    return ((await redis.pubsub("CHANNELS", "bullrush:reply:*")) as string[])[0];
  }
  return {
    plant: async ({ commands }) => {
      const real = await placeholders(commands);
      for (const [name, ...args] of commands) await redis.call(name, ...args.map(real)).catch(() => undefined);
    },
    close: () => redis.disconnect(),
  };
}
