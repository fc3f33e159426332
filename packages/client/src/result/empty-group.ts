/**
 * Empty groups that no app created are in no result backend: their ids describe them. Such an id is
 * a UUID of version 8, which Bullrush uses for nothing else. Its last 48 bits are the group as
 * parentheses, `1` opening and `0` closing one, from the left: `[[], []]` is `110100`.
 */
export type EmptyGroup = readonly EmptyGroup[];

const marked = /^.{8}-.{4}-8e00-8e00-([0-9a-f]{12})$/;
const digits = 12;

/**
 * The id of an empty group; `id` itself if the group contains more groups than fit, 23. @param id a
 * fresh one
 */
export function emptyGroupId(group: EmptyGroup, id: string): string {
  const bits = bitsOf(group);
  if (bits.length > 4 * digits) return id;
  const shape = BigInt(`0b${bits.padEnd(4 * digits, "0")}`)
    .toString(16)
    .padStart(digits, "0");
  return `${id.slice(0, 13)}-8e00-8e00-${shape}`;
}

/** The empty group that this id describes, if it does. */
export function emptyGroupOf(id: string): EmptyGroup | undefined {
  const [, shape] = marked.exec(id) ?? [];
  if (shape === undefined) return undefined;
  const bits = BigInt(`0x${shape}`)
    .toString(2)
    .padStart(4 * digits, "0");
  const open: EmptyGroup[][] = [[]];
  for (const bit of bits) {
    if (bit === "1") open.push([]);
    else if (open.length > 1) open.at(-2)?.push(open.pop() as EmptyGroup);
    else break;
  }
  return open.length === 1 ? open[0]?.[0] : undefined;
}

function bitsOf(group: EmptyGroup): string {
  return `1${group.map(bitsOf).join("")}0`;
}
