/** A library that is measured, as all scenarios use it: what they do with one they do with every other. */
export interface Contender {
  /** Shown in tables. */
  readonly name: string;
  /** What the keys of its queue start with. */
  readonly queueKey: string;
  /** A producer on the Redis at `url`. */
  produce(url: string): Producer;
  /** Begins to take tasks and to run `body` for each, which gets the number that was sent and gives the result. */
  consume(url: string, concurrency: number, body: (sent: number) => number): Promise<void>;
}

export interface Producer {
  /** Sends one task; resolves when Redis has it. */
  send(number: number): Promise<unknown>;
  /** Sends one task and gives its result. */
  ask(number: number): Promise<number>;
  close(): Promise<void>;
}
