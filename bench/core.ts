/** How fast the core decides, and how the cost grows with the number of bookings. */
import type { Booking, Credential, Member } from '../gateway/core/records.ts';
import type { Site } from '../gateway/core/site.ts';
import { createState, type State } from '../gateway/core/state.ts';
import { settle, step } from '../gateway/core/step.ts';
import { heading, row, seeded } from './report.ts';

const HOUR_MS = 3_600_000;
const ROOMS = 200;
const CREDENTIALS = 10_000;
const DECISIONS = 300_000;
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

interface Measured {
  readonly perSecond: number;
  /** By the processor time of this process: what other processes take on a busy machine is not in it. */
  readonly perCpuSecond: number;
  readonly granted: number;
}

function decide(state: State): Measured {
  const random = seeded(1);
  const facts = Array.from({ length: 4_096 }, (_, i) => {
    const room = Math.floor(random() * ROOMS);
    const member = i % 2 === 0 ? room : Math.floor(random() * CREDENTIALS);
    const point = `reader-${room}/reader`;
    return { kind: 'credential' as const, point, hashes: [`h${member}`], format: 'uid', last4: '0000' };
  });
  let granted = 0;
  let monoMs = 1_000;
  const run = (count: number) => {
    for (let i = 0; i < count; i++) {
      // Each read a good second after the one before it at the same reader, or it would be a repeat.
      monoMs += 10;
      const fact = facts[i & 4_095];
      if (fact === undefined) continue;
      const effects = step(state, fact, { wallMs: NOW_MS, monoMs });
      if (effects.some((effect) => effect.kind === 'command' && effect.command.do.op === 'unlock')) granted++;
      // Outcomes of the locks, so that commands under way do not pile up.
      if ((i & 1_023) === 0) state.doorCommands.clear();
      // The loop's batches under such a load are full.
      if ((i & 511) === 0) settle(state, { wallMs: NOW_MS, monoMs });
    }
  };
  run(20_000);
  granted = 0;
  const start = performance.now();
  const before = process.cpuUsage();
  run(DECISIONS);
  const { user, system } = process.cpuUsage(before);
  const seconds = (performance.now() - start) / 1000;
  return {
    perSecond: DECISIONS / seconds,
    perCpuSecond: DECISIONS / ((user + system) / 1_000_000),
    granted: granted / DECISIONS,
  };
}

export function benchCore(): void {
  heading('core.step: badges decided a second (10 000 credentials, 200 rooms)');
  const sizes = [1_000, 10_000, 100_000];
  const measured = sizes.map((size) => ({ size, ...decide(loaded(size)) }));
  for (const { size, perSecond, perCpuSecond, granted } of measured) {
    row(
      `${size.toLocaleString('en')} bookings`,
      `${Math.round(perSecond).toLocaleString('en')} /s`,
      `${Math.round(perCpuSecond).toLocaleString('en')} a processor second`,
      `${Math.round(granted * 100)} % granted`,
    );
  }
  const [small, , large] = measured;
  if (small !== undefined && large !== undefined) {
    const growth = small.perSecond / large.perSecond;
    const logarithm = Math.log(100_000) / Math.log(1_000);
    row('asked: ≥ 300,000 /s at 100,000 bookings', large.perSecond >= 300_000 ? 'met' : 'NOT met');
    row(
      `cost × 100 bookings: × ${growth.toFixed(2)}`,
      `asked ≤ × ${logarithm.toFixed(2)} (logarithm)`,
      growth <= logarithm ? 'met' : 'NOT met',
    );
  }
}
