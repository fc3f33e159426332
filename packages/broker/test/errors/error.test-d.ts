import { expectTypeOf, test } from "vitest";
import { BullrushError, type ErrorCode, type ErrorDetails } from "@bullrush/broker";

test("the code decides what the details are", () => {
  expectTypeOf<ErrorDetails<"UNKNOWN_TASK">>().toEqualTypeOf<{ id: string }>();
  expectTypeOf<ErrorDetails<"NO_CURRENT_TASK">>().toEqualTypeOf<undefined>();
  const error = new BullrushError("APP_CLOSED", { app: "shop" }, { cause: new Error("underneath") });
  expectTypeOf(error.code).toEqualTypeOf<"APP_CLOSED">();
  expectTypeOf(error.details).toEqualTypeOf<{ app: string }>();
  expectTypeOf(new BullrushError("NO_CURRENT_TASK")).toExtend<Error>();
});

test("an error of whatever code is a BullrushError, whose code is one of the registry's", () => {
  expectTypeOf<BullrushError<"APP_CLOSED">>().toExtend<BullrushError>();
  expectTypeOf<BullrushError["code"]>().toEqualTypeOf<ErrorCode>();
  const caught: unknown = undefined;
  if (caught instanceof BullrushError) expectTypeOf(caught.code).toExtend<ErrorCode>();
});

test("what does not fit does not compile", () => {
  // @ts-expect-error no such code
  const unknownCode = () => new BullrushError("NO_SUCH_CODE", {});
  // @ts-expect-error details are missing
  const noDetails = () => new BullrushError("APP_CLOSED");
  // @ts-expect-error details of another code
  const wrongDetails = () => new BullrushError("APP_CLOSED", { id: "x" });
  // @ts-expect-error a code is for good
  const changed = (error: BullrushError) => (error.code = "APP_CLOSED");
  expectTypeOf([unknownCode, noDetails, wrongDetails, changed]).toBeArray();
});
