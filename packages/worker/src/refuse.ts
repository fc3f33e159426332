import { BullrushError } from "@bullrush/broker";

/** Throws `INVALID_OPTION`. */
export function refuse(option: string, got: string, expected: string): never {
  throw new BullrushError("INVALID_OPTION", { option, got, expected });
}
