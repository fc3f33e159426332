import { encodeRecord, type Clock, type ControlBus, type ResultBackend, type Revocation, type Transport } from "@bullrush/broker";
import { checkOptions, isFlag, kindOf, refuse } from "../task/check.js";

/** How tasks are revoked. */
export interface RevokeOptions {
  /** Whether one that runs is ended at once instead of asked to end through its `signal`. Default: false. */
  readonly terminate?: boolean;
  /** Why, for whoever waits and for the log: up to 1000 characters. Default: "by request". */
  readonly reason?: string;
}

/**
 * Calls off tasks that may be in `queues`: none of them runs from now on, and those that run are told to end. Gives for each whether it is
 * revoked, by this call or an earlier one; one that has ended otherwise stays as it is. One that is in none of `queues` and has no record
 * counts as not sent yet, and as revoked. When it rejects it may have taken effect for some;
 * it is safe to repeat.
 * @internal
 */
export type Revoke = (
  ids: readonly string[],
  queues: readonly string[],
  options: RevokeOptions,
  flow?: string,
) => Promise<readonly boolean[]>;

/** What revoking needs. @internal */
export interface RevokeSource {
  readonly transport: Transport;
  readonly backend: ResultBackend;
  readonly control: ControlBus;
  /** How long the result of a task is kept, in ms; without its name, as far as the app says. */
  readonly lifetimeOf: (task: string | undefined) => number;
  readonly clock: Clock;
}

/** Most tasks that are revoked in one call, so that none holds Redis for long. */
const mostAtOnce = 1000;

/** Wins over the claim of any delivery, while the record itself claims nothing. */
const fence = { store: Number.MAX_SAFE_INTEGER, record: 0 };

/** @internal */
export function openRevoke(source: RevokeSource): Revoke {
  const { transport, backend, control, lifetimeOf, clock } = source;

  /** First the messages, so that none begins; then the records; then those that run. */
  async function revokeChunk(ids: readonly string[], queues: readonly string[], revocation: Revocation): Promise<readonly boolean[]> {
    const { reason } = revocation;
    const marked = await transport.revoke(ids, queues, revocation);
    const endedAt = clock.now();
    const requests = marked.flatMap((found, index) => {
      if (found.location === "ended") return [];
      const { task, queue, replyTo, due = endedAt } = "queue" in found ? found : {};
      const record = encodeRecord({ state: "REVOKED", delivery: fence.record, reason, task, queue, endedAt });
      // Until its message is gone, and then as long as any result.
      const expires = lifetimeOf(task) + Math.max(0, due - endedAt);
      return { id: ids[index] as string, delivery: fence.store, expires, replyTo, record };
    });
    const replies = await backend.store(requests);
    const revoked = new Set(requests.flatMap(({ id }, index) => (replies[index] === "stored" ? id : [])));
    const others = ids.filter((id) => !revoked.has(id));
    const records = await backend.read(others);
    others.forEach((id, index) => {
      if (records[index]?.state === "REVOKED") revoked.add(id);
    });
    await tell(
      ids.filter((id, index) => marked[index]?.location === "taken" && revoked.has(id)),
      revocation,
    );
    return ids.map((id) => revoked.has(id));
  }

  /** A worker that does not hear of it learns it when it renews its leases. */
  async function tell(ids: readonly string[], revocation: Revocation): Promise<void> {
    if (ids.length > 0) await control.publish({ type: "revoke", ids, ...revocation }).catch(() => undefined);
  }

  return async (ids, queues, options) => {
    const revocation = revocationOf(options);
    const revoked: boolean[] = [];
    for (let at = 0; at < ids.length; at += mostAtOnce) {
      revoked.push(...(await revokeChunk(ids.slice(at, at + mostAtOnce), queues, revocation)));
    }
    return revoked;
  };
}

/** Throws `INVALID_OPTION`. */
function revocationOf(given: RevokeOptions): Revocation {
  checkOptions(given, { terminate: isFlag, reason: isReason }, "of revoke()");
  return { reason: given.reason ?? "by request", terminate: given.terminate ?? false };
}

function isReason(value: unknown, option: string): void {
  const fits = typeof value === "string" && value.length >= 1 && value.length <= 1000;
  if (!fits) refuse(option, typeof value === "string" ? `${value.length} characters` : kindOf(value), "a text of 1 to 1000 characters");
}
