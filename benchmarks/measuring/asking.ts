import type { Contender } from "../contenders/contender.js";
import { askAll } from "./load.js";
import { startMeter } from "./meter.js";
import type { Sample } from "./metric.js";
import { sized, type Setting } from "./setting.js";

/**
 * Measures tasks that are sent and whose results are awaited, `inFlight` at a time. Throws if a
 * result is wrong.
 */
export async function measureRoundTrips(contender: Contender, setting: Setting, inFlight: number): Promise<Sample> {
  const producer = await contender.produce(setting);
  const warmUp = sized(Math.ceil(500 * (contender.share ?? 1)), setting);
  await askAll(producer, 0, warmUp, inFlight);
  const meter = await startMeter(setting, contender);
  await askAll(producer, warmUp, warmUp + setting.tasks, inFlight);
  const reading = await meter.read(setting.tasks);
  await producer.close();
  return reading;
}
