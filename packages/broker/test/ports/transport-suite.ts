import { afterEach, beforeEach, describe } from "vitest";
import { describeLeases } from "./leases.js";
import { describeLookup } from "./lookup.js";
import { describePublishing } from "./publishing.js";
import { describeRevoking } from "./revoking.js";
import { describeRinging } from "./ringing.js";
import { stageOn, type Broker, type Stage } from "./stage.js";

/** What the conformance suite does not try: where Redis could be held up, and how workers wake each other. `open` gives an empty broker; each test gets one of its own. */
export function describeTransport(name: string, open: () => Broker | Promise<Broker>): void {
  describe(`${name} as a engine`, () => {
    let stage: Stage;

    beforeEach(async () => {
      stage = stageOn(await open());
    });

    afterEach(() => stage.broker.close());

    const onStage = () => stage;
    describePublishing(onStage);
    describeRinging(onStage);
    describeLeases(onStage);
    describeLookup(onStage);
    describeRevoking(onStage);
  });
}
