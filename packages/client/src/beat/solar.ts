import { solarEvents, type Schedule, type SolarEvent } from "@bullrush/broker";
import { kindOf, refuse } from "../options/check.js";

/**
 * A schedule at an event of the sun, at a place in degrees north and east. Days without the event,
 * such as polar nights, are skipped. Throws `INVALID_OPTION`.
 */
export function solar(event: SolarEvent, latitude: number, longitude: number): Schedule & { readonly type: "solar" } {
  if (typeof event !== "string" || !solarEvents.includes(event)) {
    refuse(
      "the event of solar()",
      typeof event === "string" ? JSON.stringify((event as string).slice(0, 80)) : kindOf(event),
      `one of ${solarEvents.join(", ")}`,
    );
  }
  isDegrees(latitude, 90, "the latitude of solar()");
  isDegrees(longitude, 180, "the longitude of solar()");
  return { type: "solar", event, latitude, longitude };
}

function isDegrees(value: unknown, most: number, option: string): void {
  const fits = typeof value === "number" && Math.abs(value) <= most;
  if (!fits) refuse(option, typeof value === "number" ? String(value) : kindOf(value), `degrees from -${most} to ${most}`);
}
