/** How fast the core decides, and how the cost grows with the number of bookings. */
import type { CredentialFact } from '../gateway/core/facts.ts';
import type { Booking, Credential, Member } from '../gateway/core/records.ts';
import type { Site } from '../gateway/core/site.ts';
import { createState, type State } from '../gateway/core/state.ts';
import { settle, step } from '../gateway/core/step.ts';
import { count, heading, percentile, row, seeded, shuffle, target } from './report.ts';

const HOUR_MS = 3_600_000;
const ROOMS = 200;
const CREDENTIALS = 10_000;
const ASKED_PER_S = 300_000;
const WARM_UP = 20_000;
const ROUNDS = 101;
const DECISIONS_A_ROUND = 3_000;
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

  decide(count: number): void {
    for (let i = 0; i < count; i++) {
      // Each read a good second after the one before it at the same reader, or it would be a repeat.
      this.#monoMs += 10;
      const n = this.#decided++;
      const fact = this.#facts[n % FACTS] as CredentialFact;
      const effects = step(this.#state, fact, { wallMs: NOW_MS, monoMs: this.#monoMs });
      if (effects.some((effect) => effect.kind === 'command' && effect.command.do.op === 'unlock')) this.#granted++;
      // Outcomes of the locks, so that commands under way do not pile up.
      if (n % 1_024 === 0) this.#state.doorCommands.clear();
      // The loop's batches under such a load are full.
      if (n % 512 === 0) settle(this.#state, { wallMs: NOW_MS, monoMs: this.#monoMs });
    }
  }
}

export function benchCore(): void {
  heading('core.step: badges decided a second (10 000 credentials, 200 rooms)');
  const large = new Clinic(100_000);
  const rate = measure([large]);
  const alone = percentile(rate.get(large)?.perS ?? [], 0.5);
  target('decisions/s at 100,000 bookings', count(alone), `≥ ${count(ASKED_PER_S)}`, alone >= ASKED_PER_S);
  const small = new Clinic(1_000);
  const inTurn = measure([small, new Clinic(10_000), large]);
  for (const [{ bookings, granted }, { perS, perCpuS }] of inTurn) {
    row(
      `${count(bookings)} bookings, in turn with the others`,
      `${count(percentile(perS, 0.5))} /s`,
      `${count(percentile(perCpuS, 0.5))} a processor second`,
      `${Math.round(granted * 100)} % granted`,
    );
  }
  const smallPerS = inTurn.get(small)?.perS ?? [];
  const growths = inTurn.get(large)?.perS.map((perS, round) => (smallPerS[round] ?? Number.NaN) / perS) ?? [];
  const growth = percentile(growths, 0.5);
  const logarithm = Math.log(large.bookings) / Math.log(small.bookings);
  const asked = `≤ ${logarithm.toFixed(2)} × (logarithm)`;
  target('cost of 100 × the bookings', `${growth.toFixed(2)} ×`, asked, growth <= logarithm);
}

interface Rates {
  /** Decisions a second by the wall clock, one figure a round. */
  readonly perS: number[];
  /** By the processor time of this process: what other processes take on a busy machine is not in it. */
  readonly perCpuS: number[];
}

/** In turn and in random order: the machine's speed changes from second to second, and a ratio is of one moment. */
function measure(clinics: readonly Clinic[]): ReadonlyMap<Clinic, Rates> {
  const rates = new Map<Clinic, Rates>(clinics.map((clinic) => [clinic, { perS: [], perCpuS: [] }]));
  for (const clinic of clinics) clinic.decide(WARM_UP);
  const random = seeded(3);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [clinic, { perS, perCpuS }] of shuffle([...rates], random)) {
      const before = process.cpuUsage();
      const began = performance.now();
      clinic.decide(DECISIONS_A_ROUND);
      const seconds = (performance.now() - began) / 1000;
      const { user, system } = process.cpuUsage(before);
      perS.push(DECISIONS_A_ROUND / seconds);
      perCpuS.push(DECISIONS_A_ROUND / ((user + system) / 1_000_000));
    }
  }
  return rates;
}
