/** A part of Bullrush that `bullrush <name>` runs. */
export interface Subcommand {
  readonly name: string;
  readonly description: string;
  /** Loads the function that runs it, and nothing of the other subcommands. */
  load(): Promise<(argv: readonly string[], name: string) => Promise<void>>;
}

/** All subcommands, as help lists them. */
export const subcommands: readonly Subcommand[] = [
  {
    name: "worker",
    description: "run the tasks of an app, as task-worker does",
    load: async () => (await import("@bullrush/worker/command")).runTaskWorker,
  },
  {
    name: "beat",
    description: "send the periodic calls of an app, as task-beat does",
    load: async () => (await import("@bullrush/beat/command")).runTaskBeat,
  },
];
