import type { SolarEvent } from "@bullrush/broker";
import { getTimes, type SunTimeName } from "suncalc";
import type { Timetable } from "./timetable.js";

const day = 24 * 60 * 60 * 1000;

/**
 * Maximum number of days that are searched for an event. An event that does not occur within a year
 * never does.
 */
const maxDays = 400;

const names: Readonly<Record<SolarEvent, SunTimeName | "solarNoon">> = {
  dawn_astronomical: "nightEnd",
  dawn_nautical: "nauticalDawn",
  dawn_civil: "dawn",
  sunrise: "sunrise",
  solar_noon: "solarNoon",
  sunset: "sunset",
  dusk_civil: "dusk",
  dusk_nautical: "nauticalDusk",
  dusk_astronomical: "night",
};

/**
 * A schedule at an event of the sun, to the second, at a place in degrees north and east. Days
 * without the event, such as polar nights, are skipped.
 */
export function solar(event: SolarEvent, latitude: number, longitude: number): Timetable {
  const name = names[event];

  function next(after: number): number | undefined {
    // An event of a day can be hours before or after that day in UTC.
    for (let days = -2; days < maxDays; days++) {
      const time = getTimes(new Date(after + days * day), latitude, longitude)[name];
      if (time === null || Number.isNaN(time.getTime())) continue;
      const due = Math.floor(time.getTime() / 1000) * 1000;
      if (due > after) return due;
    }
    return undefined;
  }

  return { next };
}
