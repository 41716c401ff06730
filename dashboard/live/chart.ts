import type { ClimateSeries, OccupancySeries } from '../../gateway/wire/clinic.ts';
import type { Stretch } from './actual.ts';
import { HOUR_MS, ms, span } from './time.ts';

/** Columns for uPlot: seconds, temperature, heating setpoint, cooling setpoint. */
export type ChartData = [number[], (number | null)[], (number | null)[], (number | null)[]];

export function chartData(climate: ClimateSeries['series']): ChartData {
  return [
    climate.map((point) => ms(point.at) / 1000),
    climate.map((point) => point.temperature),
    climate.map((point) => point.heatingSetpoint),
    climate.map((point) => point.coolingSetpoint),
  ];
}

/**
 * The chart's range, °C: around the room's temperature and what it is heated to. A cooling setpoint far above, as
 * at night, would only flatten the curve that matters.
 */
export function shownDegrees(data: ChartData): [number, number] {
  const known = [...data[1], ...data[2]].filter((value) => value !== null);
  if (known.length === 0) return [15, 25];
  return [Math.floor(Math.min(...known) - 1), Math.ceil(Math.max(...known) + 2)];
}

/** Where the chart begins: a clinic that was just set up would else show a day of nothing. At least an hour is shown. */
export function shownSince(climate: ClimateSeries['series'], stays: readonly Stretch[], window: Stretch): number {
  const first = climate.find((point) => point.temperature !== null);
  const known = [...(first ? [ms(first.at)] : []), ...(stays[0] ? [stays[0].startMs] : [])];
  return Math.max(window.startMs, Math.min(window.endMs - HOUR_MS, ...known));
}

/** The chart in one sentence, for those who do not see it and for those in a hurry. */
export function chartSummary(climate: ClimateSeries['series'], stays: readonly Stretch[]): string {
  const known = climate.flatMap((point) => (point.temperature === null ? [] : [point.temperature]));
  const inside = stays.reduce((sum, stay) => sum + stay.endMs - stay.startMs, 0);
  const warmth =
    known.length === 0
      ? 'No temperature was recorded.'
      : `Between ${Math.min(...known).toFixed(1)} and ${Math.max(...known).toFixed(1)} °C.`;
  return `${warmth} ${inside === 0 ? 'Not occupied.' : `Occupied ${span(inside)} in all.`}`;
}

export const hasHistory = (climate: ClimateSeries['series'], occupancy: OccupancySeries['series']): boolean =>
  climate.some((point) => point.temperature !== null) || occupancy.some((point) => point.state !== null);
