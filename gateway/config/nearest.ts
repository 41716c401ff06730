/** The known word that a wrong one was most likely meant to be; undefined when none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  // A third of the letters may be wrong, two at least: `fotemp` is not `floor`, `tmie` is `time`.
  let bestCost = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of known) {
    const cost = distance(word.toLowerCase(), candidate.toLowerCase());
    if (cost < bestCost) {
      best = candidate;
      bestCost = cost;
    }
  }
  return best;
}

/** Damerau–Levenshtein distance with adjacent swaps (optimal string alignment). */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const change = a[row - 1] === b[column - 1] ? 0 : 1;
      let cost = Math.min((last[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + change);
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) {
        cost = Math.min(cost, (beforeLast[column - 2] ?? 0) + 1);
      }
      current.push(cost);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length] ?? b.length;
}

const MOST_SHOWN = 8;

/** `a, b or c`; long lists are cut with the count of the rest. */
export function oneOf(words: readonly string[]): string {
  const known = [...new Set(words)];
  if (known.length > MOST_SHOWN) {
    return `${known.slice(0, MOST_SHOWN).join(', ')} … (${known.length - MOST_SHOWN} more)`;
  }
  const head = known.slice(0, -1).join(', ');
  const tail = known.at(-1) ?? '';
  return head === '' ? tail : `${head} or ${tail}`;
}
