import { crashLimitError } from "../execution/crash-limit.js";
import { deadLetter } from "../execution/dead-letter.js";
import type { Check } from "./check.js";

/** Dead-letters what has crashed too often. */
export const crashLimit: Check = ({ delivery, definition }) => {
  const error = definition && crashLimitError(delivery, definition);
  return error === undefined ? "pass" : deadLetter(error);
};
