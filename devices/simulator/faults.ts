/** What can go wrong with a virtual device, switched on by order. */

export type StateValue = string | number | boolean | null;

export type Fault =
  /** Stays connected, says nothing, does nothing. */
  | { readonly kind: 'silence' }
  /** The link is cut; the broker sends the will. */
  | { readonly kind: 'offline' }
  /** Everything is sent twice, with the same numbers. */
  | { readonly kind: 'duplicates' }
  /** Acts, but reports another state than it has. */
  | { readonly kind: 'lying' }
  | { readonly kind: 'flood'; readonly perSecond: number }
  /** Its clock is off by this much; negative: behind. */
  | { readonly kind: 'clock'; readonly skewMs: number }
  /** Sends what cannot be parsed. */
  | { readonly kind: 'malformed' }
  /** The bolt of its locks sticks at the next movements. */
  | { readonly kind: 'jam' };

const OPPOSITES: Readonly<Record<string, string>> = {
  locked: 'unlocked',
  locking: 'unlocking',
  unlocking: 'locking',
  unlocked: 'locked',
  open: 'closed',
  closed: 'open',
  on: 'off',
  off: 'on',
};

/** How far off a lying sensor's number is, in whatever unit it has. */
const LIE = 10;

/** A value of the same type that is not true. */
export function falsified(value: StateValue): StateValue {
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'number') return value >= LIE ? value - LIE : value + LIE;
  if (typeof value === 'string') return OPPOSITES[value] ?? value;
  return value;
}
