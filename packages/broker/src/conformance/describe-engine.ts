import { describeAdditions } from "./additions.js";
import { describeClaims } from "./claims.js";
import { describeControl } from "./control.js";
import { describeCrashes } from "./crashes.js";
import type { EngineSpace, TestRunner } from "./engine-space.js";
import { describeEntries } from "./entries.js";
import { describeFencing } from "./fencing.js";
import { describeFlowFailures } from "./flow-failures.js";
import { describeFlowRepair } from "./flow-repair.js";
import { describeFlows } from "./flows.js";
import { describeLeases } from "./leases.js";
import { describeLookup } from "./lookup.js";
import { describeNotifications } from "./notifications.js";
import { describeOptionEntries } from "./option-entries.js";
import { describeOrder } from "./order.js";
import { describePublishing } from "./publishing.js";
import { describeRecords } from "./records.js";
import { describeRevoking } from "./revoking.js";
import { describeSettling } from "./settling.js";
import { Stage } from "./stage.js";
import type { Suite } from "./suite.js";
import { describeTerms } from "./terms.js";
import { describeTicks } from "./ticks.js";
import { describeWaiting } from "./waiting.js";

const suites: Readonly<Record<string, readonly ((suite: Suite) => void)[]>> = {
  queues: [describePublishing, describeOrder, describeSettling, describeWaiting, describeLookup, describeRevoking],
  results: [describeRecords, describeNotifications],
  fencing: [describeClaims, describeFencing],
  leases: [describeLeases, describeCrashes],
  flows: [describeFlows, describeFlowFailures, describeFlowRepair, describeAdditions],
  schedules: [describeTerms, describeEntries, describeOptionEntries, describeTicks],
  control: [describeControl],
};

/**
 * What every engine has to do. Each case gets a space of its own.
 * @param open opens a fresh space
 */
export function describeEngine({ describe, it }: TestRunner, name: string, open: () => EngineSpace | Promise<EngineSpace>): void {
  const suite: Suite = {
    describe,
    test: (title, body) =>
      it(title, async () => {
        const space = await open();
        try {
          await body(new Stage(space));
        } finally {
          await space.close();
        }
      }),
  };
  describe(`${name} as an engine`, () => {
    for (const [part, bodies] of Object.entries(suites)) {
      describe(part, () => {
        for (const body of bodies) body(suite);
      });
    }
  });
}
