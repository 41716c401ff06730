/** How fast the core decides, and how the cost grows with the number of bookings. */
import type { CredentialFact } from '../gateway/core/facts.ts';
import type { Booking, Credential, Member } from '../gateway/core/records.ts';
import type { Site } from '../gateway/core/site.ts';
import { createState, type State } from '../gateway/core/state.ts';
import { settle, step } from '../gateway/core/step.ts';
import { MAX_BATCH } from '../gateway/loop/loop.ts';
import { count, heading, percentile, row, seeded, shuffle, target } from './report.ts';

const HOUR_MS = 3_600_000;
const ROOMS = 200;
const CREDENTIALS = 10_000;
const ASKED_PER_S = 300_000;
const WARM_UP_BATCHES = 40;
const ROUNDS = 101;
const BATCHES_A_ROUND = 6;
const FACTS = 4_096;
const NOW_MS = Date.UTC(2026, 2, 2, 12);

function site(): Site {
  const rooms = Array.from({ length: ROOMS }, (_, i) => ({
    id: `room-${i}`,
    name: `Room ${i}`,
    kind: 'consult' as const,
    floor: 'ground',
    points: { presence: [], lights: [] },
    occupancy: { holdMs: 7 * 60_000 },
  }));
  return {
    id: 'bench',
    name: 'Bench',
    timeZone: 'UTC',
    bookings: { earlyMs: 600_000, lateMs: 300_000, entranceEarlyMs: 1_800_000, maxScheduleAgeMs: 36 * HOUR_MS },
    rooms,
    doors: rooms.map((room, i) => ({
      id: `door-${i}`,
      name: room.name,
      room: room.id,
      common: false,
      lock: `lock-${i}/lock`,
      contact: `lock-${i}/door`,
      reader: `reader-${i}/reader`,
      strikeMs: 5_000,
      heldOpenAfterMs: 120_000,
    })),
    devices: rooms.flatMap((_, i) => [`lock-${i}`, `reader-${i}`]),
  };
}

/** Every room booked hour after hour, the holders in turn, so that half of the reads below are grants. */
function loaded(bookings: number): State {
  const now = { wallMs: NOW_MS, monoMs: 0 };
  const state = createState({ site: site(), instance: 'B', alarms: [], relaySwitches: [], now });
  const members: Member[] = [];
  const credentials: Credential[] = [];
  for (let i = 0; i < CREDENTIALS; i++) {
    members.push({ id: `m${i}`, name: '', kind: 'practitioner', status: 'active', rights: [] });
    credentials.push({ id: `c${i}`, member: `m${i}`, hash: `h${i}`, status: 'active' });
  }
  const upsert: Booking[] = [];
  const hours = Math.ceil(bookings / ROOMS);
  const firstMs = NOW_MS - Math.floor(Math.min(hours / 2, 7 * 24)) * HOUR_MS;
  for (let i = 0; i < bookings; i++) {
    const startMs = firstMs + Math.floor(i / ROOMS) * HOUR_MS;
    const hour = Math.round((startMs - NOW_MS) / HOUR_MS);
    const room = i % ROOMS;
    upsert.push({
      id: `b${i}`,
      room: `room-${room}`,
      holder: `m${(((hour * 7 + room) % CREDENTIALS) + CREDENTIALS) % CREDENTIALS}`,
      delegates: [],
      startMs,
      endMs: startMs + HOUR_MS,
      status: 'confirmed',
      source: 'local',
      title: '',
    });
  }
  step(state, { kind: 'time_trust', trusted: true, why: '' }, now);
  step(state, { kind: 'members', upsert: members, remove: [] }, now);
  step(state, { kind: 'credentials', upsert: credentials, remove: [] }, now);
  step(state, { kind: 'bookings', upsert, remove: [] }, now);
  return state;
}

/** One load of bookings, and the reads that are decided on it. */
class Clinic {
  readonly bookings: number;
  readonly #state: State;
  readonly #facts: readonly CredentialFact[];
  #monoMs = 1_000;
  #decided = 0;
  #granted = 0;

  constructor(bookings: number) {
    this.bookings = bookings;
    this.#state = loaded(bookings);
    const random = seeded(1);
    this.#facts = Array.from({ length: FACTS }, (_, i) => {
      const room = Math.floor(random() * ROOMS);
      const member = i % 2 === 0 ? room : Math.floor(random() * CREDENTIALS);
      const point = `reader-${room}/reader`;
      return { kind: 'credential' as const, point, hashes: [`h${member}`], format: 'uid', last4: '0000' };
    });
  }

  get granted(): number {
    return this.#granted / this.#decided;
  }

  /** A full batch of the loop: its decisions, then the rooms they concern. */
  batch(): Batch {
    const began = performance.now();
    for (let i = 0; i < MAX_BATCH; i++) {
      const fact = this.#facts[this.#decided++ % FACTS] as CredentialFact;
      // Each read a good second after the one before it at the same reader, or it would be a repeat.
      this.#monoMs += 10;
      const effects = step(this.#state, fact, { wallMs: NOW_MS, monoMs: this.#monoMs });
      if (effects.some((effect) => effect.kind === 'command' && effect.command.do.op === 'unlock')) this.#granted++;
    }
    const decidedMs = performance.now() - began;
    settle(this.#state, { wallMs: NOW_MS, monoMs: this.#monoMs });
    const settledMs = performance.now() - began;
    // The locks have answered meanwhile: commands under way do not pile up.
    this.#state.doorCommands.clear();
    return { decidedMs, settledMs };
  }
}

interface Batch {
  readonly decidedMs: number;
  /** With climate, light and alarms of the rooms worked out too. */
  readonly settledMs: number;
}

/** Decisions a second, one figure a round. */
interface Rates {
  readonly decided: number[];
  readonly settled: number[];
}

export function benchCore(): void {
  heading('core.step: badges decided a second (10 000 credentials, 200 rooms)');
  const large = new Clinic(100_000);
  const alone = measure([large]).get(large);
  const perS = percentile(alone?.decided ?? [], 0.5);
  target('decisions/s at 100,000 bookings', count(perS), `≥ ${count(ASKED_PER_S)}`, perS >= ASKED_PER_S);
  row('  and the rooms they concern worked out', `${count(percentile(alone?.settled ?? [], 0.5))} /s`);
  const small = new Clinic(1_000);
  const inTurn = measure([small, new Clinic(10_000), large]);
  for (const [{ bookings, granted }, { decided, settled }] of inTurn) {
    row(
      `${count(bookings)} bookings, in turn with the others`,
      `${count(percentile(decided, 0.5))} /s`,
      `${count(percentile(settled, 0.5))} /s with the rooms`,
      `${Math.round(granted * 100)} % granted`,
    );
  }
  const ofSmall = inTurn.get(small)?.decided ?? [];
  const growths = inTurn.get(large)?.decided.map((rate, round) => (ofSmall[round] ?? Number.NaN) / rate) ?? [];
  const growth = percentile(growths, 0.5);
  const logarithm = Math.log(large.bookings) / Math.log(small.bookings);
  const asked = `≤ ${logarithm.toFixed(2)} × (logarithm)`;
  target('cost of 100 × the bookings', `${growth.toFixed(2)} ×`, asked, growth <= logarithm);
}

/** In turn and in random order: the machine's speed changes from second to second, and a ratio is of one moment. */
function measure(clinics: readonly Clinic[]): ReadonlyMap<Clinic, Rates> {
  const rates = new Map<Clinic, Rates>(clinics.map((clinic) => [clinic, { decided: [], settled: [] }]));
  for (const clinic of clinics) for (let i = 0; i < WARM_UP_BATCHES; i++) clinic.batch();
  const random = seeded(3);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [clinic, { decided, settled }] of shuffle([...rates], random)) {
      let decidedMs = 0;
      let settledMs = 0;
      for (let i = 0; i < BATCHES_A_ROUND; i++) {
        const batch = clinic.batch();
        decidedMs += batch.decidedMs;
        settledMs += batch.settledMs;
      }
      decided.push((BATCHES_A_ROUND * MAX_BATCH * 1000) / decidedMs);
      settled.push((BATCHES_A_ROUND * MAX_BATCH * 1000) / settledMs);
    }
  }
  return rates;
}
