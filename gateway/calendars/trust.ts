/**
 * Whether an answer of a source is believed. Pure: the host keeps the `Standing` and asks before it applies a snapshot,
 * or what a delta comes to. Real systems took every door code away because a feed was empty for a minute.
 *
 * Held back, for `holdPolls` equal looks, is an answer that leaves nothing granted from now on where something was
 * (`empty`), or that lost more than half of it (`shrunken`). What counts:
 * - Bookings are told apart by UID and RECURRENCE-ID, so a feed that swaps all its events for others has lost all.
 * - Lost is what vanished without a word. CANCELLED, TENTATIVE and another time are words; so is an instance missing
 *   from a series that came in a newer version (SEQUENCE, then DTSTAMP). What ended because time passed is not lost.
 * - One booking that vanishes while others stand is everyday life and believed at once, in a small schedule too.
 * - A look that failed says nothing: the host does not ask about it, and the count stays.
 * - Another answer begins the count anew; one that is believable ends the hold.
 *
 * A held answer grants nothing: no new booking, no later end. But what it still states to be cancelled, or moved clear
 * of its old time, is in `deny`: a statement about one booking is believed at once, since refusing is the safe side.
 * Such a denial stays while the hold does, unless a later answer states the booking as before.
 */

/** A booking as a source states it now, for its room and its time; an `Occurrence` is one. */
export interface Stated {
  readonly uid: string;
  readonly recurrenceId?: string | undefined;
  readonly startMs: number;
  readonly endMs: number;
  readonly status: 'confirmed' | 'tentative' | 'cancelled';
  readonly sequence: number;
  readonly stampMs: number;
}

/** All that would stand if the answer were applied: for a delta too, not only what it changes. */
export interface Candidate {
  readonly nowMs: number;
  /** The events were worked out up to here. */
  readonly toMs: number;
  readonly stated: readonly Stated[];
  /** UIDs that a signed message took back by name. */
  readonly withdrawn?: readonly string[] | undefined;
}

/** UID, RECURRENCE-ID or '', start, end, SEQUENCE, stamp of a granted booking. */
export type Known = readonly [string, string, number, number, number, number];
/** UID, RECURRENCE-ID or '', start, end. */
type Held = readonly [string, string, number, number];

/** What the host keeps for a source, as JSON. */
export interface Standing {
  /** Granted by the answer that was believed last. */
  readonly known: readonly Known[];
  readonly hold?: Hold | undefined;
}
export interface Hold {
  readonly code: 'empty' | 'shrunken';
  /** Equal looks so far. */
  readonly polls: number;
  /** Since when the source is not believed, whatever it said meanwhile. */
  readonly sinceMs: number;
  /** What the held answer would grant, up to `toMs`. */
  readonly held: readonly Held[];
  readonly toMs: number;
  readonly denied: readonly (readonly [string, string])[];
}

export interface Identity {
  readonly uid: string;
  readonly recurrenceId?: string | undefined;
}
export type Verdict =
  | { readonly accept: true; readonly next: Standing }
  | {
      readonly accept: false;
      readonly code: 'empty' | 'shrunken';
      readonly why: string;
      /** Known bookings that are refused from now on, though the rest of the answer is not believed. */
      readonly deny: readonly Identity[];
      readonly next: Standing;
    };

/** Fewer lost bookings than this are no sign of a fault, as long as something is left. */
export const MIN_LOST = 2;

/** @param before undefined: nothing was believed yet, so there is nothing to lose. */
export function judge(
  before: Standing | undefined,
  candidate: Candidate,
  settings: { readonly holdPolls: number },
): Verdict {
  const { nowMs, toMs } = candidate;
  const stated = newestOfEach(candidate.stated);
  const accepted = (): Verdict => ({ accept: true, next: { known: knownOf(stated.values(), nowMs) } });
  if (before === undefined) return accepted();
  const inForce = before.known.filter(([, , startMs, endMs]) => endMs > nowMs && startMs < toMs);
  const lost = lostOf(inForce, stated, candidate.withdrawn ?? []);
  const granting = [...stated.values()].filter((one) => grants(one, nowMs));
  const code = codeOf(lost.length, inForce.length, granting.length);
  if (code === undefined) return accepted();
  const known = before.hold;
  const polls = known !== undefined && isSame(known, granting, nowMs, toMs) ? known.polls + 1 : 1;
  if (polls > settings.holdPolls) return accepted();
  const denied = deniedOf(inForce, stated, known?.denied ?? []);
  const held = granting.map(({ uid, recurrenceId, startMs, endMs }): Held => [uid, recurrenceId ?? '', startMs, endMs]);
  const hold: Hold = { code, polls, sinceMs: known?.sinceMs ?? nowMs, held, toMs, denied };
  return {
    accept: false,
    code,
    why: whyOf(code, lost.length, inForce.length, polls, settings.holdPolls),
    deny: denied.map(([uid, recurrenceId]) => (recurrenceId === '' ? { uid } : { uid, recurrenceId })),
    next: { known: before.known, hold },
  };
}

function codeOf(lost: number, inForce: number, granting: number): Hold['code'] | undefined {
  if (lost === 0) return undefined;
  if (granting === 0) return 'empty';
  return lost >= MIN_LOST && lost * 2 > inForce ? 'shrunken' : undefined;
}

function lostOf(inForce: readonly Known[], stated: ReadonlyMap<string, Stated>, withdrawn: readonly string[]): Known[] {
  const taken = new Set(withdrawn);
  const newest = new Map<string, Stated>();
  for (const one of stated.values()) {
    const other = newest.get(one.uid);
    if (other === undefined || isNewer(one, other)) newest.set(one.uid, one);
  }
  return inForce.filter(([uid, recurrenceId, , , sequence, stampMs]) => {
    if (taken.has(uid) || stated.has(keyOf(uid, recurrenceId))) return false;
    const rest = newest.get(uid);
    return rest === undefined || !isNewer(rest, { sequence, stampMs });
  });
}

/** What was denied before stays denied, unless it is stated to be as it was. */
function deniedOf(
  inForce: readonly Known[],
  stated: ReadonlyMap<string, Stated>,
  before: Hold['denied'],
): (readonly [string, string])[] {
  const already = new Set(before.map(([uid, recurrenceId]) => keyOf(uid, recurrenceId)));
  return inForce
    .filter(([uid, recurrenceId, startMs, endMs]) => {
      const key = keyOf(uid, recurrenceId);
      const now = stated.get(key);
      if (now === undefined) return already.has(key);
      return now.status !== 'confirmed' || now.startMs >= endMs || now.endMs <= startMs;
    })
    .map(([uid, recurrenceId]) => [uid, recurrenceId] as const);
}

/** Equal in what both would grant in the time that both know, from now on. */
function isSame(hold: Hold, granting: readonly Stated[], nowMs: number, toMs: number): boolean {
  const untilMs = Math.min(hold.toMs, toMs);
  const then = hold.held.filter(([, , startMs, endMs]) => endMs > nowMs && startMs < untilMs);
  const now = granting.filter((one) => one.startMs < untilMs);
  if (then.length !== now.length) return false;
  const times = new Map(
    then.map(([uid, recurrenceId, startMs, endMs]) => [keyOf(uid, recurrenceId), { startMs, endMs }]),
  );
  return now.every(({ uid, recurrenceId, startMs, endMs }) => {
    const other = times.get(keyOf(uid, recurrenceId ?? ''));
    return other?.startMs === startMs && other.endMs === endMs;
  });
}

/** Of several statements about one booking the newest counts; of equally new ones the one that grants less. */
function newestOfEach(stated: readonly Stated[]): Map<string, Stated> {
  const newest = new Map<string, Stated>();
  for (const one of stated) {
    const key = keyOf(one.uid, one.recurrenceId ?? '');
    const other = newest.get(key);
    if (other === undefined || replaces(one, other)) newest.set(key, one);
  }
  return newest;
}

function replaces(one: Stated, other: Stated): boolean {
  if (isNewer(one, other) || isNewer(other, one)) return isNewer(one, other);
  if ((one.status === 'confirmed') !== (other.status === 'confirmed')) return one.status !== 'confirmed';
  return one.endMs !== other.endMs ? one.endMs < other.endMs : one.startMs > other.startMs;
}

function knownOf(stated: Iterable<Stated>, nowMs: number): Known[] {
  const known: Known[] = [];
  for (const one of stated)
    if (grants(one, nowMs))
      known.push([one.uid, one.recurrenceId ?? '', one.startMs, one.endMs, one.sequence, one.stampMs]);
  return known;
}

function grants(one: Stated, nowMs: number): boolean {
  return one.status === 'confirmed' && one.endMs > nowMs;
}

type Version = Pick<Stated, 'sequence' | 'stampMs'>;
function isNewer(one: Version, other: Version): boolean {
  return one.sequence !== other.sequence ? one.sequence > other.sequence : one.stampMs > other.stampMs;
}

/** A UID may hold a line break, a RECURRENCE-ID never does, so the last one parts them. */
function keyOf(uid: string, recurrenceId: string): string {
  return `${uid}\n${recurrenceId}`;
}

function whyOf(code: Hold['code'], lost: number, inForce: number, polls: number, holdPolls: number): string {
  const what =
    code === 'empty'
      ? `The source suddenly names no coming booking any more, where there were ${inForce}.`
      : `The source has lost ${lost} of ${inForce} coming bookings without a word.`;
  return `${what} The last good schedule stands; look ${polls} of ${holdPolls} that says so, after that it is believed. If that is not meant, mend the calendar now.`;
}
