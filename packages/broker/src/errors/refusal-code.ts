/** Why a service did not do what it was asked. */
export type RefusalCode =
  /** The user is unknown or disabled, or has another password. */
  | "login-denied"
  /** The user may not run a command. */
  | "command-denied"
  /** The user may not use a key. */
  | "key-denied"
  /** The user may not use a channel. */
  | "channel-denied"
  /** Memory is used up, so nothing may be written that needs more. */
  | "out-of-memory"
  /** What was written could not be saved to disk, so nothing more may be written. */
  | "disk-failed"
  /** It is a replica, which may not be written to. */
  | "read-only"
  /** It still loads its data. */
  | "loading"
  /** A script runs for too long. */
  | "busy"
  /** It is a replica without its primary. */
  | "primary-down"
  /** Too few replicas follow for a write to be safe. */
  | "too-few-replicas"
  /** A cluster moves its keys, or has lost some. */
  | "cluster-unready"
  /** It ended a blocking read, as it became a replica. */
  | "unblocked"
  /** A key holds something of another kind. */
  | "wrong-type"
  | "unknown-command"
  | "unknown-script"
  | "unknown-database"
  /** It keeps something in a layout of another version of Bullrush. */
  | "other-layout"
  /** The call could not be written: it has too many arguments, say. */
  | "invalid-call"
  /** No answer came. */
  | "unreachable"
  /** Any other answer that is an error. */
  | "other";

/** A call that failed. Decisions are made by `code`. */
export interface Refusal {
  readonly code: RefusalCode;
  /** In the words of the service, on one line and without arguments: for people. */
  readonly reason: string;
  /**
   * What the user may not run, in lower case. Several are separated by ", ", or by " or " if it is
   * one of them.
   */
  readonly command?: string;
  /** The user who may not do it. */
  readonly user?: string;
  /** The key that may not be used. */
  readonly key?: string;
}
