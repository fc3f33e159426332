/** Longest time that a timer can be set for, in ms: nearly 25 days. Node fires one that is set for longer at once. */
export const longestTimer = 2 ** 31 - 1;
