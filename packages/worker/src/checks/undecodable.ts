import { deadLetter } from "../execution/dead-letter.js";
import type { Check } from "./check.js";
import type { Grace } from "./grace.js";

/** Dead-letters what cannot be read. What a newer version wrote goes back for workers that can, while the grace lasts. */
export function undecodable(grace: Grace): Check {
  return ({ delivery }) => {
    const { content } = delivery;
    if (content.type !== "undecodable") return "pass";
    const { error, taskOfOtherVersion } = content;
    return (taskOfOtherVersion === undefined ? undefined : grace.outcomeOf(delivery, taskOfOtherVersion, error)) ?? deadLetter(error);
  };
}
