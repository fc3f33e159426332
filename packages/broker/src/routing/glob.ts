/** Whether `pattern` has a `*`, and so may match more than its own text. */
export function isGlob(pattern: string): boolean {
  return pattern.includes("*");
}

/**
 * Tells which names `pattern` matches as a whole. `*` is any run of characters, the empty one and dots included; every other character is
 * itself. Takes time linear in the name, whatever the pattern.
 */
export function compileGlob(pattern: string): (name: string) => boolean {
  const [first = "", ...rest] = pattern.split("*");
  const last = rest.pop();
  if (last === undefined) return (name) => name === pattern;
  const searches = rest.filter((piece) => piece !== "").map(compileSearch);

  return (name) => {
    const end = name.length - last.length;
    if (end < first.length || !name.startsWith(first) || !name.endsWith(last)) return false;
    // The leftmost place for each piece leaves the most room for those after it, so no choice is ever taken back.
    let at = first.length;
    for (const search of searches) {
      at = search(name, at, end);
      if (at < 0) return false;
    }
    return true;
  };
}

/**
 * Finds the first `piece` between two offsets of a text and gives the offset behind it, or -1. The search is that of Knuth, Morris and
 * Pratt: `indexOf` takes the product of both lengths on texts made to hurt.
 */
function compileSearch(piece: string): (text: string, from: number, to: number) => number {
  const borders = bordersOf(piece);
  return (text, from, to) => {
    let matched = 0;
    for (let at = from; at < to; at++) {
      matched = extend(piece, borders, matched, text[at]);
      if (matched === piece.length) return at + 1;
    }
    return -1;
  };
}

/** For each beginning of `piece`, how long the longest shorter beginning is that it also ends with. */
function bordersOf(piece: string): readonly number[] {
  const borders = [0];
  for (let at = 1; at < piece.length; at++) borders.push(extend(piece, borders, borders[at - 1] ?? 0, piece[at]));
  return borders;
}

/** How much of the beginning of `piece` is matched once `character` follows, after `matched` characters of it were. */
function extend(piece: string, borders: readonly number[], matched: number, character: string | undefined): number {
  let length = matched;
  while (length > 0 && piece[length] !== character) length = borders[length - 1] ?? 0;
  return piece[length] === character ? length + 1 : 0;
}
