/**
 * Writes one line. `fields` go beside the text; `text` may have printf placeholders, which `values`
 * fill.
 */
export interface LogMethod {
  (fields: object, text?: string, ...values: readonly unknown[]): void;
  (text: string, ...values: readonly unknown[]): void;
}

/** A log: the part of a pino logger that tasks and Bullrush use. Every pino logger is one. */
export interface Log {
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  readonly fatal: LogMethod;
  /** A log that adds `fields` to each line. */
  child(fields: Readonly<Record<string, unknown>>): Log;
}
