import { redisScheduleStore } from "../../src/bullmq/schedules/schedule-store.js";
import { calendarOn, type Calendar } from "../ports/calendar.js";
import { stageOn } from "../ports/stage.js";
import { openBroker, type RedisBroker } from "./broker.js";

/** Schedules in a Redis, under a prefix of their own. */
export interface RedisCalendar extends Calendar {
  readonly broker: RedisBroker;
}

/** Opens schedules in the Redis of the tests, or in the one at `url`. */
export function openCalendar(url?: string): RedisCalendar {
  const broker = openBroker(url);
  const { prefix } = broker;
  const connect = (lead?: number) => redisScheduleStore({ location: broker.url, prefix, ...(lead !== undefined && { lead }) });
  const calendar = calendarOn(stageOn(broker), connect);
  const close = async () => {
    await calendar.close();
    await broker.close();
  };
  return { ...calendar, broker, close };
}
