/** Randomness that can be had again from its seed, so that a failed run of the clinic can be run once more. */

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform in [from, to). */
  between(from: number, to: number): number;
  /** A whole number of from, from + 1, …, to. */
  whole(from: number, to: number): number;
  chance(probability: number): boolean;
  /** One of the list, which must not be empty. */
  pick<T>(list: readonly T[]): T;
  hex(digits: number): string;
  /** A generator of its own: draws from it leave this one's sequence as it is. */
  fork(name: string): Random;
}

/** FNV-1a, 32 bit: turns names into seeds. */
function hash(text: string, start: number): number {
  let value = (start ^ 0x811c9dc5) >>> 0;
  for (let index = 0; index < text.length; index++) {
    value ^= text.charCodeAt(index);
    value = Math.imul(value, 0x01000193) >>> 0;
  }
  return value;
}

/** Marsaglia's xorshift128 (Journal of Statistical Software 8/14, 2003), its state filled from the seed by FNV-1a. */
export function seeded(seed: number | string): Random {
  const root = hash(String(seed), 0);
  let x = hash('x', root) || 1;
  let y = hash('y', root);
  let z = hash('z', root);
  let w = hash('w', root);
  const next = (): number => {
    const t = x ^ (x << 11);
    x = y;
    y = z;
    z = w;
    w = (w ^ (w >>> 19) ^ (t ^ (t >>> 8))) >>> 0;
    return w / 2 ** 32;
  };
  // The first draws still resemble the seed.
  for (let index = 0; index < 16; index++) next();
  const whole = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    between: (from, to) => from + next() * (to - from),
    whole,
    chance: (probability) => next() < probability,
    pick: <T>(list: readonly T[]): T => {
      if (list.length === 0) throw new Error('nothing to pick from');
      return list[whole(0, list.length - 1)] as T;
    },
    hex: (digits) => Array.from({ length: digits }, () => whole(0, 15).toString(16).toUpperCase()).join(''),
    fork: (name) => seeded(`${root}/${name}`),
  };
}
