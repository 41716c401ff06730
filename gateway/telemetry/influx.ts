/** InfluxDB 1.x: the `influx` client for database, retention and questions; one plain POST for lines. */
import http from 'node:http';
import https from 'node:https';
import { InfluxDB } from 'influx';

export interface InfluxTarget {
  /** `http://host:8086`, of one server: the client's own fail-over would hide an outage from us. */
  readonly url: string;
  readonly database: string;
  readonly retentionDays: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

/** What the server said to a batch. Everything else is thrown as an outage. */
export type WriteAnswer =
  | { readonly kind: 'stored' }
  /** 400: the good lines are stored, at least one was not. */
  | { readonly kind: 'partial'; readonly why: string }
  /** 400: the lines within the retention are stored, the older ones never will be. */
  | { readonly kind: 'expired'; readonly why: string }
  /** 404: the database or its retention policy is not there. */
  | { readonly kind: 'no_database'; readonly why: string }
  /** 413. */
  | { readonly kind: 'too_large'; readonly why: string };

export interface InfluxClient {
  /** Makes the database and its retention policy, or mends the policy's length. */
  prepare(): Promise<void>;
  /** Lines of the write protocol, parted by line breaks, stamps in nanoseconds. Throws when the server did not take them. */
  write(lines: string): Promise<WriteAnswer>;
  /** The answer of one InfluxQL question, instants in ms; empty when nothing was found. */
  ask(influxQl: string): Promise<readonly Series[]>;
  close(): void;
}
export interface Series {
  readonly columns: readonly string[];
  readonly values: readonly (readonly (string | number | boolean | null)[])[];
}

export const RETENTION_POLICY = 'doorward';
const REQUEST_TIMEOUT_MS = 10_000;
/** An error's text is a sentence; more is not read. */
const ANSWER_CHARS = 4_096;
const STORED = 204;
const PARTIAL = 400;
const NOT_FOUND = 404;
const TOO_LARGE = 413;
/** The older and the newer wording. Where a batch has a field of a wrong type as well, InfluxDB names that. */
const EXPIRED = /(?:beyond|outside) retention policy/;

export function connectInflux(target: InfluxTarget): InfluxClient {
  const url = new URL(target.url);
  // One for both, of our own: its end is the end of whatever is under way.
  const agent = new (url.protocol === 'https:' ? https.Agent : http.Agent)({ keepAlive: true, maxSockets: 2 });
  const client = packageClient(target, url, agent);
  const write = lineWriter(target, url, agent);

  async function prepare(): Promise<void> {
    await client.createDatabase(target.database);
    const policies = await client.showRetentionPolicies(target.database);
    const shape = { database: target.database, duration: `${target.retentionDays}d`, replication: 1, isDefault: true };
    if (policies.some((policy) => policy.name === RETENTION_POLICY)) {
      await client.alterRetentionPolicy(RETENTION_POLICY, shape);
    } else {
      await client.createRetentionPolicy(RETENTION_POLICY, shape);
    }
  }

  return {
    prepare,
    write,
    async ask(influxQl) {
      const answer: unknown = await client.queryRaw(influxQl, { database: target.database, precision: 'ms' });
      return seriesOf(answer);
    },
    close: () => agent.destroy(),
  };
}

function packageClient(target: InfluxTarget, url: URL, agent: http.Agent): InfluxDB {
  return new InfluxDB({
    host: url.hostname,
    port: portOf(url),
    path: url.pathname,
    protocol: url.protocol === 'https:' ? 'https' : 'http',
    ...(target.username === undefined ? {} : { username: target.username }),
    ...(target.password === undefined ? {} : { password: target.password }),
    database: target.database,
    options: { agent },
    pool: { maxRetries: 0, requestTimeout: REQUEST_TIMEOUT_MS, backoff: NO_BACK_OFF },
  });
}

/** The client would close its only host out for up to five minutes after one failure; we have our own back-off. */
const NO_BACK_OFF = { getDelay: () => 0, next: () => NO_BACK_OFF, reset: () => NO_BACK_OFF };

function portOf(url: URL): number {
  if (url.port !== '') return Number(url.port);
  return url.protocol === 'https:' ? 443 : 80;
}

function lineWriter(target: InfluxTarget, url: URL, agent: http.Agent): (lines: string) => Promise<WriteAnswer> {
  const base = url.pathname.replace(/\/$/, '');
  const options: http.RequestOptions = {
    agent,
    method: 'POST',
    host: url.hostname,
    port: portOf(url),
    path: `${base}/write?${new URLSearchParams({ db: target.database, precision: 'n' })}`,
    ...(target.username === undefined ? {} : { auth: `${target.username}:${target.password ?? ''}` }),
  };
  const request = url.protocol === 'https:' ? https.request : http.request;
  return (lines) => post(() => request({ ...options, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) }), lines);
}

function post(open: () => http.ClientRequest, lines: string): Promise<WriteAnswer> {
  return new Promise((resolve, reject) => {
    const body = Buffer.from(lines);
    const outgoing = open();
    outgoing.setHeader('Content-Type', 'text/plain; charset=utf-8');
    outgoing.setHeader('Content-Length', body.length);
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      let text = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (piece: string) => {
        if (text.length < ANSWER_CHARS) text += piece;
      });
      incoming.on('error', reject);
      incoming.on('end', () => {
        const status = incoming.statusCode ?? 0;
        const answer = answerOf(status, errorText(text));
        if (answer === undefined) reject(new Error(`InfluxDB answers ${status}: ${errorText(text)}`));
        else resolve(answer);
      });
    });
    outgoing.end(body);
  });
}

function answerOf(status: number, why: string): WriteAnswer | undefined {
  switch (status) {
    case STORED:
      return { kind: 'stored' };
    case PARTIAL:
      return { kind: EXPIRED.test(why) ? 'expired' : 'partial', why };
    case NOT_FOUND:
      return { kind: 'no_database', why };
    case TOO_LARGE:
      return { kind: 'too_large', why };
    default:
      return undefined;
  }
}

function errorText(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'error' in parsed) return String(parsed.error);
  } catch {
    // Not JSON: a proxy's page, or nothing.
  }
  return body.trim().slice(0, 200) || 'no reason given';
}

function seriesOf(answer: unknown): readonly Series[] {
  const results = (answer as { results?: readonly { series?: readonly Series[]; error?: string }[] }).results ?? [];
  for (const result of results) if (result.error !== undefined) throw new Error(`InfluxDB: ${result.error}`);
  return results.flatMap((result) => result.series ?? []);
}
