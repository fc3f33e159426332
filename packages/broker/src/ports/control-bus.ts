/**
 * All that workers can be told from outside: plain data, of which none names code. A worker does
 * nothing for a type that it does not know.
 */
export type ControlCommand =
  /** Call off those of these tasks that run; they are marked as revoked already. */
  { readonly type: "revoke"; readonly ids: readonly string[]; readonly reason: string; readonly terminate: boolean };

/**
 * How all workers are told something at once, by whoever may use the broker. What is said is heard
 * by those who listen at that moment, at most once.
 */
export interface ControlBus {
  /** Tells the workers. Resolves when the broker has it, whoever hears of it. */
  publish(command: ControlCommand): Promise<void>;

  /**
   * Calls `listener` for each command from now on. Resolves once subscribed; call the returned
   * function to stop.
   */
  subscribe(listener: (command: ControlCommand) => void): Promise<() => void>;

  /** Closes all connections, within 5 s, whatever state the broker is in. */
  close(): Promise<void>;
}
