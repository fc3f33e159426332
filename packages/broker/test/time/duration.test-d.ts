import { expectTypeOf, test } from "vitest";
import { toMilliseconds, type Duration } from "@bullrush/broker";

test("a duration is a number or a string with a unit", () => {
  expectTypeOf<500 | "500ms" | "20s" | "1.5 hours" | "1d">().toExtend<Duration>();
  expectTypeOf(toMilliseconds("20s", "lease")).toEqualTypeOf<number>();
  // @ts-expect-error not a length of time
  toMilliseconds("soon", "lease");
  // @ts-expect-error no unit
  toMilliseconds("250", "lease");
  // @ts-expect-error no such unit
  toMilliseconds("5 parsecs", "lease");
  // @ts-expect-error a moment is not a length of time
  toMilliseconds(new Date(), "lease");
});
