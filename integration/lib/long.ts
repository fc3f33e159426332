/**
 * Whether to try at full length what the gate tries briefly: more random cases, every row of a
 * matrix, the leases of production. `BULLRUSH_LONG_TESTS=1` asks for it.
 */
export const long = process.env["BULLRUSH_LONG_TESTS"] === "1";

/** How many random cases to try: `brief` in the gate, else `full`. */
export const runs = (brief: number, full: number): number => (long ? full : brief);
