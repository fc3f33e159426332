import { nameLifetime, type NameHolder, type WorkerNames } from "../ports/workers.js";
import type { Connection } from "./connection.js";
import { workerKey } from "./keys.js";
import { scriptAt, runScript } from "./script.js";

const scripts = { claim: scriptAt("redis/claim-name"), release: scriptAt("redis/release-name") };

/** Longest time of a call, outages included, in ms. */
const deadline = 5000;

/** The names of the workers under `prefix`, on the broker. */
export function redisWorkerNames(commands: Connection, prefix: string): WorkerNames {
  async function claim(name: string, token: string, { host, pid, startedAt }: NameHolder): Promise<Partial<NameHolder> | undefined> {
    const reply = await commands.run({ action: `the name ${name} was not claimed`, deadline }, (client) =>
      runScript(client, scripts.claim, [workerKey(prefix, name)], [token, nameLifetime, host, pid, startedAt]),
    );
    return reply === 0 ? undefined : holderIn(reply as readonly string[]);
  }

  async function release(name: string, token: string): Promise<void> {
    await commands.run({ action: `the name ${name} was not given up`, deadline }, (client) =>
      runScript(client, scripts.release, [workerKey(prefix, name)], [token]),
    );
  }

  return { claim, release };
}

/** Somebody may have planted it: what does not fit is left out. */
function holderIn([host = "", pid, startedAt]: readonly string[]): Partial<NameHolder> {
  const [process, start] = [wholeNumberIn(pid), wholeNumberIn(startedAt)];
  return {
    ...(host !== "" && { host }),
    ...(process !== undefined && { pid: process }),
    ...(start !== undefined && start <= 8.64e15 && { startedAt: start }),
  };
}

function wholeNumberIn(text = ""): number | undefined {
  return /^\d{1,16}$/.test(text) ? Number(text) : undefined;
}
