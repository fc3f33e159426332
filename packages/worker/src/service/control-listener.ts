import type { ControlBus, ControlCommand, Delivery, Revocation } from "@bullrush/broker";
import type { ThrottledLog } from "@bullrush/program";
import { every, type Service } from "./service.js";

export interface ControlListenerOptions {
  readonly control: ControlBus;
  /** What is on loan now. */
  readonly held: () => readonly Delivery[];
  /** Hears of each delivery on loan that somebody has revoked. */
  readonly onRevoked: (delivery: Delivery, revocation: Revocation) => void;
  readonly trouble: ThrottledLog;
}

/** How often it is tried to listen, until it succeeds, in ms. */
const interval = 5000;

/** Does what workers are told on the control channel. Without it the worker works on: what is revoked it then learns with its leases. */
export function controlListener({ control, held, onRevoked, trouble }: ControlListenerOptions): Service {
  const stopped = new AbortController();
  let listening: Promise<() => void> | undefined;

  function obey(command: ControlCommand): void {
    const ids = new Set(command.ids);
    for (const delivery of held()) if (ids.has(delivery.id)) onRevoked(delivery, command);
  }

  async function listen(): Promise<void> {
    if (listening !== undefined) return;
    try {
      await (listening = control.subscribe(obey));
    } catch (error) {
      listening = undefined;
      if (!stopped.signal.aborted) trouble.warn("not listening for control messages", error);
    }
  }

  const tries = every(interval, () => void listen());
  return {
    start: () => {
      void listen();
      tries.start();
    },
    stop: () => {
      stopped.abort();
      tries.stop();
      listening?.then((unsubscribe) => unsubscribe()).catch(() => undefined);
    },
  };
}
