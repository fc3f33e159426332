import type { Contender } from "../contenders/contender.js";
import { startMeter } from "./meter.js";
import type { Sample } from "./metric.js";
import { connect } from "./redis.js";
import { sized, type Setting } from "./setting.js";

/** How tasks are sent: each by a call, `width` at once, or `width` by each call. */
export interface Sending {
  readonly call: "send" | "sendBulk";
  readonly width: number;
}

/** Measures sending. Throws unless all tasks are in the queue in the end. */
export async function measureSending(contender: Contender, setting: Setting, { call, width }: Sending): Promise<Sample> {
  const redis = await connect(setting.url);
  const producer = await contender.produce(setting);
  // Warm-up: everything is connected and compiled.
  const warmUp = sized(Math.ceil(1000 * (contender.share ?? 1)), setting);
  const last = warmUp + setting.tasks;
  await producer[call](0, warmUp, width);
  const meter = await startMeter(setting, contender);
  await producer[call](warmUp, last, width);
  const reading = await meter.read(setting.tasks);
  const waiting = await contender.queue.waiting(redis);
  if (waiting !== last) throw new Error(`${waiting} tasks in the queue instead of ${last}`);
  await producer.close();
  redis.disconnect();
  return reading;
}
