import type { SolarEvent } from "@bullrush/broker";
import { getTimes, type SunTimeName } from "suncalc";
import type { Timetable } from "./timetable.js";

const day = 24 * 60 * 60 * 1000;

/** For how many days an event is looked for: what does not come in a year never comes. */
const patience = 400;

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
 * At an event of the sun, to the second, at a place in degrees north and east. There is none on days on which the sun does not rise, or
 * does not set.
 */
export function solar(event: SolarEvent, latitude: number, longitude: number): Timetable {
  const name = names[event];

  function next(after: number): number | undefined {
    // What belongs to a day may be hours before or behind its midnights.
    for (let days = -2; days < patience; days++) {
      const time = getTimes(new Date(after + days * day), latitude, longitude)[name];
      if (time === null || Number.isNaN(time.getTime())) continue;
      const due = Math.floor(time.getTime() / 1000) * 1000;
      if (due > after) return due;
    }
    return undefined;
  }

  return { next };
}
