import { nameLifetime, type NameHolder, type WorkerNames } from "../ports/workers.js";
import type { Access } from "./access.js";
import type { SpaceTime } from "./space-time.js";

/** Who holds a name of a worker. */
export interface HeldName {
  readonly token: string;
  readonly holder: NameHolder;
  /** In ms since the epoch. */
  readonly until: number;
}

/** The names of the workers of a space. */
export function memoryWorkerNames(names: Map<string, HeldName>, time: SpaceTime, access: Access): WorkerNames {
  return {
    claim: (name, token, holder) =>
      access.broker(`the name ${name} was not claimed`, () => {
        const held = names.get(name);
        const now = time.now();
        if (held !== undefined && held.until > now && held.token !== token) return held.holder;
        names.set(name, { token, holder: { ...holder }, until: now + nameLifetime });
        return undefined;
      }),
    release: (name, token) =>
      access.broker(`the name ${name} was not given up`, () => {
        if (names.get(name)?.token === token) names.delete(name);
      }),
  };
}
