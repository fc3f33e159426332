/**
 * What is planted, as the commands that plant it: for the same seed the same, in the same order.
 */
export interface Plant {
  readonly kind: string;
  readonly commands: readonly Command[];
  /** Ids under which it leaves something that a client may ask for. */
  readonly ids?: readonly string[];
}

/** A command of Redis, with its arguments. */
export type Command = readonly [name: string, ...args: Argument[]];

/** Bytes stand for what is no text. */
export type Argument = string | number | Buffer;

/**
 * All that is planted and all that is honest has this prefix: each fleet has a server of its own.
 */
export const prefix = "fuzz";

export const queues = ["one", "two"] as const;

/** Tasks that the workers know. None of them does harm, whatever its arguments are. */
export const tasks = ["add", "flaky", "mix", "note", "sum"] as const;

/** Stands for the id of a flow that is under way when it is planted. */
export const liveFlow = "11111111-1111-4111-8111-111111111111";

/** Stands for the reply channel of the honest producer. */
export const liveReply = "bullrush:reply:of-the-producer";

export const queueKey = (queue: string) => `${prefix}:${queue}:`;
export const ownQueueKey = (queue: string) => `bullrush:queue:${prefix}:${queue}:`;
export const flowKey = (id: string) => `bullrush:flow:${prefix}:${id}`;
export const flowIndex = `bullrush:flows:${prefix}`;
export const resultKey = (id: string) => `bullrush:result:${id}`;
export const beatKey = `bullrush:beat:${prefix}:app`;
export const controlChannel = `bullrush:control:${prefix}`;
