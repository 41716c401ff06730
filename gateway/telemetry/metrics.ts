/** Prometheus metrics of the gateway. Every queue and limit that can be reached shows here. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Outbox } from '../store/types.ts';

/** Seconds; a durable commit takes 0.2 to 2 ms on flash. */
const COMMIT_BUCKETS_S = [0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5];
const HTTP_BUCKETS_S = [0.005, 0.02, 0.1, 0.5, 2, 10];

interface CalendarStanding {
  readonly id: string;
  readonly state: string;
  readonly lastGoodAtMs?: number | undefined;
  readonly bookings: number;
  readonly setAsideTotal: number;
}

export type Metrics = ReturnType<typeof createMetrics>;

/** Labels carry no personal name: outcomes, reasons, device ids of the configuration, routes by their pattern. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  const gauge = (name: string, help: string) => new Gauge({ name: `doorward_${name}`, help, registers });
  const counter = <L extends string = never>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name: `doorward_${name}_total`, help, labelNames, registers });

  collectDefaultMetrics({ register: registry });
  return {
    registry,
    /** The text of `/metrics`. */
    text: (): Promise<string> => registry.metrics(),
    queueDepth: gauge('queue_depth', 'Facts that wait for the loop'),
    factsDropped: counter('facts_dropped', 'Facts dropped because the queue was full'),
    /** Entries that wait in memory because the disk refuses. */
    journalWaiting: gauge('journal_waiting', 'Journal entries that wait for the disk'),
    journalFailures: counter('journal_failures', 'Appends to the journal that the disk refused'),
    decisions: counter('decisions', 'Access decisions', ['outcome', 'reason']),
    commands: counter('commands', 'Commands by what became of them', ['outcome']),
    commitSeconds: new Histogram({
      name: 'doorward_commit_seconds',
      help: 'Time of one durable journal commit',
      buckets: COMMIT_BUCKETS_S,
      registers,
    }),
    alarmsLive: gauge('alarms_live', 'Alarms open or acknowledged'),
    devicesOnline: gauge('devices_online', 'Devices online'),
    malformedMessages: counter('malformed_messages', 'Messages of a device that could not be read', ['device']),
    mqttUp: gauge('mqtt_up', 'Whether the MQTT link is up'),
    influxUp: gauge('influx_up', 'Whether InfluxDB takes the telemetry'),
    influxDelivered: counter('influx_delivered', 'Points that InfluxDB confirmed'),
    streamClients: gauge('stream_clients', 'Live streams open'),
    httpRequests: counter('http_requests', 'HTTP requests', ['method', 'route', 'status']),
    httpSeconds: new Histogram({
      name: 'doorward_http_seconds',
      help: 'Time of one HTTP request',
      buckets: HTTP_BUCKETS_S,
      labelNames: ['method', 'route'],
      registers,
    }),
    calendarLooks: counter('calendar_looks', 'Looks at outside calendars by what came of them', ['source', 'outcome']),
    calendarMessages: counter('calendar_messages', 'Messages to webhooks by what came of them', ['source', 'outcome']),
    /** Shows how the outside calendars stand at each scrape. */
    watchCalendars(health: () => readonly CalendarStanding[], nowMs: () => number): void {
      const read = (name: string, help: string, value: (calendar: CalendarStanding) => number) =>
        new Gauge({
          name: `doorward_calendar_${name}`,
          help,
          labelNames: ['source'],
          registers,
          collect() {
            for (const calendar of health()) this.set({ source: calendar.id }, value(calendar));
          },
        });
      read('up', 'Whether the calendar was read well at the last look', ({ state }) => (state === 'ok' ? 1 : 0));
      read('age_seconds', 'Age of the schedule; -1 before it was read', ({ lastGoodAtMs }) =>
        lastGoodAtMs === undefined ? -1 : (nowMs() - lastGoodAtMs) / 1000,
      );
      read('bookings', 'Bookings of the calendar in force from now on', ({ bookings }) => bookings);
      read('set_aside', 'Events that grant nothing since they are not understood', (one) => one.setAsideTotal);
    },
    /** Shows the outbox at each scrape. */
    watchOutbox(outbox: Pick<Outbox, 'size' | 'dropped' | 'refused'>): void {
      const read = (name: string, help: string, value: () => number) =>
        new Gauge({
          name: `doorward_outbox_${name}`,
          help,
          registers,
          collect() {
            this.set(value());
          },
        });
      read('rows', 'Telemetry rows in the outbox', () => outbox.size);
      read('dropped_rows', 'Telemetry rows dropped because the disk quota was reached', () => outbox.dropped);
      read('refused_rows', 'Telemetry rows that InfluxDB refused for good', () => outbox.refused);
    },
  };
}
