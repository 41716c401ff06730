/** Drains the durable outbox into InfluxDB: an outage of any length loses nothing that the outbox could keep. */
import type { Outbox, OutboxRow } from '../store/types.ts';
import { connectInflux, type InfluxClient, type InfluxTarget } from './influx.ts';

/** InfluxDB's own advice for a batch. */
const BATCH_ROWS = 5_000;
const POLL_MS = 1_000;
const BACK_OFF_FIRST_MS = 500;
const BACK_OFF_LONGEST_MS = 30_000;
/** Spread of the back-off, so that many gateways do not come back in one moment. */
const BACK_OFF_SPREAD = 0.2;

export interface WriterLog {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

export interface WriterOptions {
  readonly outbox: Outbox;
  readonly influx: InfluxTarget;
  /** Told at each change, and once at the first success; `why` is a sentence when `ok` is false. */
  readonly onState: (ok: boolean, why: string) => void;
  readonly onDelivered?: ((points: number) => void) | undefined;
  readonly log: WriterLog;
  /** How often an empty outbox is looked at, ms. */
  readonly pollMs?: number | undefined;
}

export interface InfluxWriter {
  /** Resolves when the outbox is no longer touched. What is under way is sent again at the next start, onto itself. */
  stop(): Promise<void>;
}

export function startInfluxWriter(options: WriterOptions): InfluxWriter {
  const client = connectInflux(options.influx);
  const pause = pauses();
  let stopped = false;
  let state: boolean | undefined;

  function tell(ok: boolean, why: string): void {
    if (state === ok) return;
    state = ok;
    if (ok) options.log.info({}, 'InfluxDB takes the telemetry');
    else options.log.warn({ why }, 'InfluxDB does not take the telemetry; the outbox keeps it');
    options.onState(ok, why);
  }

  async function run(): Promise<void> {
    const delivery = deliveryTo(client, options, () => tell(true, ''));
    let backOffMs = BACK_OFF_FIRST_MS;
    let prepared = false;
    while (!stopped) {
      try {
        if (!prepared) await client.prepare();
        prepared = true;
        await delivery.drain(() => stopped);
        tell(true, '');
        backOffMs = BACK_OFF_FIRST_MS;
        await pause.wait(options.pollMs ?? POLL_MS);
      } catch (error) {
        if (stopped) return;
        tell(false, `InfluxDB at ${options.influx.url}: ${reasonOf(error)}`);
        await pause.wait(backOffMs * (1 - BACK_OFF_SPREAD + 2 * BACK_OFF_SPREAD * Math.random()));
        backOffMs = Math.min(backOffMs * 2, BACK_OFF_LONGEST_MS);
      }
    }
  }

  const running = run();
  return {
    async stop() {
      stopped = true;
      pause.end();
      client.close();
      await running;
    },
  };
}

interface Sender {
  /** Rows for one request, as far as the server is known to take them. */
  readonly batchRows: number;
  /** Resolves when every row is stored, too old or in quarantine; rejects when the server is out of reach or out of order. */
  send(rows: readonly OutboxRow[]): Promise<void>;
}

function senderTo(client: InfluxClient, { outbox, log }: WriterOptions): Sender {
  let batchRows = BATCH_ROWS;

  async function send(rows: readonly OutboxRow[], mayPrepare = true): Promise<void> {
    const answer = await client.write(rows.map((row) => row.line).join('\n'));
    switch (answer.kind) {
      case 'stored':
        return;
      case 'expired':
        // Its word alone counts: by a clock of ours that runs ahead every point would be too old.
        log.warn({ why: answer.why }, 'InfluxDB drops points that are older than its retention');
        return;
      case 'no_database':
        if (!mayPrepare) throw new Error(answer.why);
        log.warn({ why: answer.why }, 'the database is gone; making it anew');
        await client.prepare();
        return send(rows, false);
      case 'too_large':
        batchRows = Math.max(1, Math.floor(rows.length / 2));
        return refused(rows, answer.why);
      case 'partial':
        return refused(rows, answer.why);
    }
  }

  /** The server stored the good lines and names at best one bad: halve until it stands alone. Sending twice is harmless. */
  async function refused(rows: readonly OutboxRow[], why: string): Promise<void> {
    const only = rows[0];
    if (rows.length === 1 && only !== undefined) {
      outbox.quarantine(only.id, why);
      log.warn({ id: only.id, why }, 'InfluxDB refuses a point for good; it is kept in quarantine');
      return;
    }
    const middle = Math.ceil(rows.length / 2);
    await send(rows.slice(0, middle));
    await send(rows.slice(middle));
  }

  return {
    get batchRows() {
      return batchRows;
    },
    send,
  };
}

/** One batch after the other, from the outbox's front; a row is forgotten only when the server has it or refuses it for good. */
function deliveryTo(
  client: InfluxClient,
  options: WriterOptions,
  onGood: () => void,
): { drain(stopped: () => boolean): Promise<void> } {
  const { outbox } = options;
  const sender = senderTo(client, options);
  return {
    /** Until nothing is left. While a batch is on its way the one before is forgotten and the next one read. */
    async drain(stopped) {
      let rows = outbox.peek(sender.batchRows);
      let deliveredId: number | undefined;
      const forget = () => {
        if (deliveredId !== undefined) outbox.acknowledge(deliveredId);
        deliveredId = undefined;
      };
      try {
        for (let last = rows.at(-1); last !== undefined && !stopped(); last = rows.at(-1)) {
          const sending = sender.send(rows);
          // Awaited below; marked here, in case what stands between throws first.
          sending.catch(() => {});
          // A turn of the event loop, so that the request leaves before SQLite has the thread.
          await new Promise(setImmediate);
          forget();
          const following = outbox.peek(sender.batchRows, last.id);
          await sending;
          deliveredId = last.id;
          onGood();
          options.onDelivered?.(rows.length);
          rows = following;
        }
      } finally {
        forget();
      }
    },
  };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  // Node joins the failures of several addresses in an error without a text of its own.
  return error.message || (code ?? error.name);
}

/** A wait that `end` cuts short, for good. */
function pauses(): { wait(ms: number): Promise<void>; end(): void } {
  let ended = false;
  let wake: (() => void) | undefined;
  return {
    wait(ms) {
      if (ended) return Promise.resolve();
      return new Promise((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
    end() {
      ended = true;
      wake?.();
    },
  };
}
