import type { Advance, Advanced, Engine, RoutedMessage } from "@bullrush/broker";

/** Messages that were sent together. */
export interface Sending {
  /** Id of the flow that they are the calls of; absent for messages that stand alone. */
  readonly flow?: string;
  readonly messages: readonly RoutedMessage[];
}

/** `engine`, which tells `onSent` what producers and beats have sent, once it is confirmed. */
export function recordingEngine<E extends Engine>(engine: E, onSent: (sending: Sending) => void): E {
  const { queues, flows, schedules } = engine;
  return {
    ...engine,
    queues: {
      ...queues,
      publish: async (messages) => {
        const errors = await queues.publish(messages);
        onSent({ messages: messages.filter((_, index) => errors[index] === undefined) });
        return errors;
      },
    },
    flows: {
      ...flows,
      begin: async (flow) => {
        await flows.begin(flow);
        onSent({ flow: flow.id, messages: flow.calls });
      },
      addMember: async (addition) => {
        const added = await flows.addMember(addition);
        if (added === "added") onSent({ flow: addition.flow, messages: [addition] });
        return added;
      },
    },
    schedules: {
      ...schedules,
      advance: async (term, advances) => {
        const advanced = await schedules.advance(term, advances);
        onSent({ messages: advances.flatMap((advance, index) => ticksOf(advance, advanced[index])) });
        return advanced;
      },
    },
  };
}

/** The messages of the ticks that were sent. */
function ticksOf({ ticks }: Advance, advanced: Advanced | undefined): readonly RoutedMessage[] {
  if (typeof advanced !== "object" || !("sent" in advanced)) return [];
  const { duplicates, sent } = advanced;
  return ticks.slice(duplicates, duplicates + sent).flatMap(({ messages }) => [...messages]);
}
