import type { Contender } from "../contenders/contender.js";
import { sendInLots } from "./load.js";
import { startMeter } from "./meter.js";
import type { Sample } from "./metric.js";
import type { Setting } from "./scenario.js";
import { watchRedis } from "./watched-redis.js";

/** How many tasks are sent before the measuring, so that everything is connected and compiled. */
const warmUp = 1000;

/** Measures the sending of tasks, `width` at a time. Throws unless all are in the queue in the end. */
export async function measureSending(contender: Contender, { url, tasks }: Setting, width: number): Promise<Sample> {
  const redis = watchRedis(url);
  const producer = contender.produce(url);
  await sendInLots(producer, 0, warmUp, width);
  const cpu = await redis.cpu();
  const meter = startMeter();
  await sendInLots(producer, warmUp, warmUp + tasks, width);
  const reading = meter.read(tasks);
  const redisCpu = ((await redis.cpu()) - cpu) / tasks;
  const waiting = await redis.waiting(contender.queueKey);
  if (waiting !== warmUp + tasks) throw new Error(`${waiting} tasks in the queue instead of ${warmUp + tasks}`);
  await producer.close();
  redis.close();
  return { ...reading, redisCpu };
}
