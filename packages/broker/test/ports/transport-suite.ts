import { afterEach, beforeEach, describe } from "vitest";
import { describeCrashes } from "./crashes.js";
import { describeExchanging } from "./exchanging.js";
import { describeLateSuccesses } from "./late-successes.js";
import { describeLeases } from "./leases.js";
import { describeLookup } from "./lookup.js";
import { describeOrder } from "./order.js";
import { describePromoting } from "./promoting.js";
import { describePublishing } from "./publishing.js";
import { describePuttingBack } from "./putting-back.js";
import { describeRevoking } from "./revoking.js";
import { describeRinging } from "./ringing.js";
import { stageOn, type Broker, type Stage } from "./stage.js";

/** What every engine has to do, whatever the service. `open` gives an empty broker; each test gets one of its own. */
export function describeTransport(name: string, open: () => Broker | Promise<Broker>): void {
  describe(`${name} as a engine`, () => {
    let stage: Stage;

    beforeEach(async () => {
      stage = stageOn(await open());
    });

    afterEach(() => stage.broker.close());

    const onStage = () => stage;
    describePublishing(onStage);
    describeExchanging(onStage);
    describePuttingBack(onStage);
    describeOrder(onStage);
    describeRinging(onStage);
    describeLeases(onStage);
    describeLateSuccesses(onStage);
    describeCrashes(onStage);
    describeLookup(onStage);
    describeRevoking(onStage);
    describePromoting(onStage);
  });
}
