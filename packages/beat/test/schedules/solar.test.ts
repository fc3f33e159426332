import { describe, expect, it } from "vitest";
import { solar } from "../../src/schedules/solar.js";

const day = 24 * 60 * 60 * 1000;
const at = (text: string) => Date.parse(text);
/** To within some minutes, which is what formulas for the sun differ by. */
const near = (time: number | undefined, text: string) => Math.abs((time ?? 0) - at(text)) < 4 * 60 * 1000;

describe("solar", () => {
  it("Berlin: due at sunrise, at noon and at sunset", () => {
    const midsummer = at("2026-06-21T00:00:00Z");
    expect(near(solar("sunrise", 52.52, 13.4).next(midsummer), "2026-06-21T02:43:00Z")).toBe(true);
    expect(near(solar("solar_noon", 52.52, 13.4).next(midsummer), "2026-06-21T11:08:00Z")).toBe(true);
    expect(near(solar("sunset", 52.52, 13.4).next(midsummer), "2026-06-21T19:33:00Z")).toBe(true);
  });

  it.each([13.4, -179.5, 179.5, -122])("longitude %s: due once a day, whenever it is asked", (longitude) => {
    const { next } = solar("sunset", 40, longitude);
    let due = next(at("2026-01-01T00:00:00Z")) ?? 0;
    for (let days = 0; days < 365; days++) {
      const following = next(due) ?? 0;
      expect(Math.abs(following - due - day)).toBeLessThan(10 * 60 * 1000);
      expect(next(due + day / 3)).toBe(following);
      due = following;
    }
  });

  it("polar night and polar day: waits until they are over", () => {
    const svalbard = [78.2, 15.6] as const;
    const risen = solar("sunrise", ...svalbard).next(at("2026-11-15T00:00:00Z")) ?? 0;
    expect(new Date(risen).toISOString()).toMatch(/^2027-02-1/);
    const set = solar("sunset", ...svalbard).next(at("2026-05-01T00:00:00Z")) ?? 0;
    expect(new Date(set).toISOString()).toMatch(/^2026-08-2/);
  });

  it("event that never occurs at a place: never due", () => {
    expect(solar("dusk_astronomical", 90, 0).next(at("2026-01-01T00:00:00Z"))).toBeUndefined();
  });
});
