import { describeTransport } from "../ports/transport-suite.js";
import { openBroker } from "./broker.js";

describeTransport("BullMQ", () => openBroker());
