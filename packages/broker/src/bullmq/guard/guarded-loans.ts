import type { LoanData } from "../../ports/consumer.js";
import { AskedPassword } from "../../redis/asked-password.js";
import { openConnection } from "../../redis/connection.js";
import type { CompiledLocation } from "../../redis/location.js";
import { runScript, type Argument } from "../../redis/script.js";
import { engineScript } from "../engine.js";

/** A message on loan, as another thread knows it. */
export interface Loan {
  /** Index of its queue. */
  readonly queue: number;
  readonly id: string;
  readonly token: string;
}

/** A loan that is given up. `back`: its run is no crash; `crashed`: it is one; `time-limit`: it has run for longer than `limit` ms, and does not run again. */
export type LetGo = Loan & {
  readonly how: { readonly type: "back" | "crashed" } | { readonly type: "time-limit"; readonly limit: number };
};

/** What a guard does about loans while the event loop of their worker stands still. All reject as `Connection.run` does. */
export interface GuardedLoans {
  /** Connects ahead of the first call. */
  open(): Promise<void>;
  /** Renews the leases, and gives those loans that somebody has revoked and wants to be ended at once. */
  renew(loans: readonly Loan[]): Promise<readonly Loan[]>;
  /** Puts back what calls took whose replies nobody has read: no crash. `tokens`: what the tokens of each call start with. */
  giveBack(tokens: readonly string[]): Promise<void>;
  /** Puts back what a process has on loan that is about to be ended. */
  letGo(loans: readonly LetGo[]): Promise<void>;
  close(): void;
}

const scripts = { renew: engineScript("renew"), giveBack: engineScript("put-back-lost-takes"), letGo: engineScript("let-go") };

/** Most loans in one call, so that none holds Redis for long. */
const maxBatch = 500;

/** Asks `loans` for the password at each connect, if it changes. */
function locationOf(loans: () => LoanData): CompiledLocation {
  const location = loans().location as CompiledLocation;
  if (!loans().rotates) return location;
  return { ...location, password: new AskedPassword(() => (loans().location as CompiledLocation).options.password ?? "") };
}

/** Opens a connection of its own for the loans of one consumer, with the password that `loans` have at each connect; nothing is sent before the first call. `onConnectionError` hears why it fails, at each failure. */
export function openGuardedLoans(loans: () => LoanData, onConnectionError: (reason: string) => void): GuardedLoans {
  const { prefixes, lease, worker } = loans();
  const idleTimeout = Math.max(1000, lease / 3);
  const connection = openConnection(locationOf(loans), {
    service: "broker",
    name: `bullrush:${worker}:guard`,
    idleTimeout,
    onConnectionError,
  });
  // What has not gone through by then is too late.
  const deadline = lease;

  async function inBatches<T extends Loan>(loans: readonly T[], run: (batch: readonly T[]) => Promise<void>): Promise<void> {
    for (let from = 0; from < loans.length; from += maxBatch) await run(loans.slice(from, from + maxBatch));
  }

  return {
    async open() {
      await Promise.all(Object.values(scripts).map((script) => script.load()));
      await connection.run({ action: "it was not opened", deadline }, (client) => client.ping());
    },
    async renew(loans) {
      const ended: Loan[] = [];
      await inBatches(loans, async (batch) => {
        const args = batch.flatMap(({ queue, id, token }): Argument[] => [queue + 1, id, token]);
        const replies = (await connection.run({ action: "leases were not renewed", deadline }, (client) =>
          runScript(client, scripts.renew, prefixes, [lease, ...args]),
        )) as readonly (number | readonly [reason: string, terminate: number])[];
        ended.push(...batch.filter((_, index) => (replies[index] as readonly [string, number])[1] === 1));
      });
      return ended;
    },
    async giveBack(tokens) {
      if (tokens.length === 0) return;
      await connection.run({ action: "messages were not put back", deadline }, (client) =>
        runScript(
          client,
          scripts.giveBack,
          prefixes,
          tokens.map((token) => `${token}:`),
        ),
      );
    },
    letGo: (loans) =>
      inBatches(loans, async (batch) => {
        const args = batch.flatMap(({ queue, id, token, how }): Argument[] => [
          queue + 1,
          id,
          token,
          how.type === "time-limit" ? `time-limit ${Math.round(how.limit)}` : how.type,
        ]);
        await connection.run({ action: "messages were not put back", deadline }, (client) =>
          runScript(client, scripts.letGo, prefixes, args),
        );
      }),
    close: () => connection.close(),
  };
}
