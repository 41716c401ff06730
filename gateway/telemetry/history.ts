/** The same history calls, answered by InfluxDB or by the embedded history. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Fault } from '../core/errors.ts';
import type { Outbox } from '../store/types.ts';
import { connectInflux, type InfluxClient, type InfluxTarget } from './influx.ts';

/** One window `[fromMs, toMs)` of one room, in steps. */
export interface HistoryWindow {
  readonly room: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly everyMs: number;
}
/** `atMs` is the start of the step; steps lie on multiples of their length since 1970. Unknown is null. */
export interface OccupancyPoint {
  readonly atMs: number;
  readonly state: string | null;
  readonly occupied: boolean | null;
  /** 0 to 1. */
  readonly confidence: number | null;
  readonly booked: boolean | null;
  readonly people: number | null;
}
/** Temperatures and setpoints in °C, humidity in %, CO2 in ppm. */
export interface ClimatePoint {
  readonly atMs: number;
  readonly temperature: number | null;
  readonly heatingSetpoint: number | null;
  readonly coolingSetpoint: number | null;
  readonly humidity: number | null;
  readonly co2: number | null;
  readonly mode: string | null;
  readonly heating: boolean | null;
  readonly cooling: boolean | null;
}
export interface History {
  /** A step without any point is left out: the gateway was not there to see. Rejects with `unavailable` or `invalid`. */
  occupancy(window: HistoryWindow): Promise<readonly OccupancyPoint[]>;
  climate(window: HistoryWindow): Promise<readonly ClimatePoint[]>;
}

/** Measurements are averaged over a step; of states the last one known in it counts. */
type Fold = 'mean' | 'last';
interface Column {
  /** In the answer. */
  readonly name: string;
  /** In InfluxDB. */
  readonly field: string;
  readonly fold: Fold;
}
const OCCUPANCY: readonly Column[] = [
  { name: 'state', field: 'state', fold: 'last' },
  { name: 'occupied', field: 'occupied', fold: 'last' },
  { name: 'confidence', field: 'confidence', fold: 'mean' },
  { name: 'booked', field: 'booked', fold: 'last' },
  { name: 'people', field: 'people', fold: 'last' },
];
const CLIMATE: readonly Column[] = [
  { name: 'temperature', field: 'temperature', fold: 'mean' },
  { name: 'heatingSetpoint', field: 'heating_setpoint', fold: 'last' },
  { name: 'coolingSetpoint', field: 'cooling_setpoint', fold: 'last' },
  { name: 'humidity', field: 'humidity', fold: 'mean' },
  { name: 'co2', field: 'co2', fold: 'mean' },
  { name: 'mode', field: 'mode', fold: 'last' },
  { name: 'heating', field: 'heating', fold: 'last' },
  { name: 'cooling', field: 'cooling', fold: 'last' },
];

/** A chart has a few hundred; this is the most that one answer carries. */
const STEPS_MOST = 20_000;
const STEP_SHORTEST_MS = 1_000;
const ROOM_CHARS = 64;

type Value = string | number | boolean | null;
type Point = { readonly atMs: number } & Readonly<Record<string, Value>>;
type Measurement = 'occupancy' | 'climate';
type Reader = (
  measurement: Measurement,
  columns: readonly Column[],
  window: HistoryWindow,
) => Promise<readonly Point[]>;

export interface HistoryOptions {
  readonly outbox: Outbox;
  /** Site id: one InfluxDB may serve several sites. */
  readonly site: string;
  /** Absent: the outbox is the history. */
  readonly influx?: InfluxTarget | undefined;
}

export function openHistory(options: HistoryOptions): History {
  const read =
    options.influx === undefined
      ? fromOutbox(options.outbox)
      : fromInflux(connectInflux(options.influx), options.site, options.influx.url);
  return {
    async occupancy(window) {
      return (await read('occupancy', OCCUPANCY, checked(window))) as unknown as readonly OccupancyPoint[];
    },
    async climate(window) {
      return (await read('climate', CLIMATE, checked(window))) as unknown as readonly ClimatePoint[];
    },
  };
}

function checked(window: HistoryWindow): HistoryWindow {
  const fromMs = Math.round(window.fromMs);
  const toMs = Math.round(window.toMs);
  const everyMs = Math.round(window.everyMs);
  if (!Number.isSafeInteger(fromMs) || !Number.isSafeInteger(toMs) || fromMs < 0 || toMs < fromMs) {
    throw new Fault('invalid', 'A history window starts at or after 1970 and ends at or after its start.');
  }
  if (!(everyMs >= STEP_SHORTEST_MS)) {
    throw new Fault('invalid', `A step of the history is at least ${STEP_SHORTEST_MS / 1000} s long.`);
  }
  if ((toMs - fromMs) / everyMs > STEPS_MOST) {
    throw new Fault('invalid', `A history answers at most ${STEPS_MOST} steps; ask for longer steps or less time.`);
  }
  if (window.room.length === 0 || window.room.length > ROOM_CHARS) {
    throw new Fault('invalid', `A room's id has 1 to ${ROOM_CHARS} characters.`);
  }
  return { room: window.room, fromMs, toMs, everyMs };
}

function fromOutbox(outbox: Outbox): Reader {
  // One slice a turn of the event loop, whoever asks: a badge waits for one, not for one of each chart.
  let last: Promise<void> = Promise.resolve();
  const turn = () => {
    last = last.then(() => nextTurn());
    return last;
  };
  return async (measurement, columns, { room, fromMs, toMs, everyMs }) => {
    const points: Point[] = [];
    let fold: ReturnType<typeof folding> | undefined;
    await turn();
    for (const rows of outbox.range({ measurement, room, fromMs, toMs })) {
      for (const row of rows) {
        const atMs = Math.floor(row.atMs / everyMs) * everyMs;
        if (fold?.atMs !== atMs) {
          if (fold !== undefined) points.push(fold.point());
          fold = folding(atMs, columns);
        }
        fold.add(row.fields);
      }
      await turn();
    }
    if (fold !== undefined) points.push(fold.point());
    return points;
  };
}

/** What InfluxQL's mean() and last() make of the points of one step. */
function folding(atMs: number, columns: readonly Column[]) {
  const sums = columns.map(() => ({ sum: 0, count: 0, last: null as Value }));
  return {
    atMs,
    add(fields: Readonly<Record<string, string | number | boolean>>): void {
      columns.forEach((column, index) => {
        const value = fields[column.field];
        const at = sums[index];
        if (value === undefined || at === undefined) return;
        at.last = value;
        if (typeof value === 'number') {
          at.sum += value;
          at.count += 1;
        }
      });
    },
    point(): Point {
      const values = columns.map(({ name, fold }, index): [string, Value] => {
        const at = sums[index];
        if (at === undefined) return [name, null];
        if (fold === 'last') return [name, at.last];
        return [name, at.count === 0 ? null : at.sum / at.count];
      });
      return { ...Object.fromEntries(values), atMs };
    },
  };
}

function fromInflux(client: InfluxClient, site: string, url: string): Reader {
  return async (measurement, columns, { room, fromMs, toMs, everyMs }) => {
    const select = columns.map(({ field, fold }) => `${fold}("${field}")`).join(', ');
    const influxQl =
      `SELECT ${select} FROM "${measurement}" WHERE "site" = ${literal(site)} AND "room" = ${literal(room)} ` +
      `AND time >= ${fromMs}ms AND time < ${toMs}ms GROUP BY time(${everyMs}ms) fill(none)`;
    const series = await client.ask(influxQl).catch((error: unknown) => {
      throw new Fault('unavailable', `InfluxDB at ${url}: ${error instanceof Error ? error.message : String(error)}`);
    });
    return (series[0]?.values ?? []).map((row) => {
      const values = columns.map(({ name }, index): [string, Value] => [name, row[index + 1] ?? null]);
      return { ...Object.fromEntries(values), atMs: Number(row[0]) };
    });
  };
}

/** A string literal of InfluxQL; nothing in it ends it or reaches the next line. */
function literal(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&').replace(/\n/g, '\\n')}'`;
}
