/**
 * A stand-in for the gateway's HTTP side: serves the built dashboard under the gateway's content policy, and answers
 * with data that the wire's schemas have checked, so that the fixtures cannot drift from the real interface.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import * as wire from '../../gateway/wire/index.ts';
import { credentialsOf, refusedLoginsOf, unknownCardsOf } from './fixtures-cards.ts';
import { at, MEMBERS, snapshotOf } from './fixtures-data.ts';

export const DASHBOARD_DIR = fileURLToPath(new URL('../../dist/dashboard', import.meta.url));
export const USER = { username: 'petra', password: 'correct horse' };
const CSRF = 'csrf-of-the-fixture';
const COOKIE = 'session=fixture';
const PING_EVERY_MS = 1_000;
export const POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'";
const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

type UnlockAnswer = { outcome: 'confirmed' | 'failed' | 'unknown'; why?: string };

export class FixtureServer {
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  /** How many streams were ever opened. */
  streamsOpened = 0;
  readonly #pings: ReturnType<typeof setInterval>;
  #eventId = 0;
  snapshot: wire.Snapshot;
  role: wire.Role = 'manager';
  members = [...MEMBERS];
  credentials = credentialsOf();
  calendars: wire.Calendar[] = [];
  cards: wire.UnknownCard[];
  /** Settles each unlock; a test that wants to see "pending" holds it back. */
  unlock: () => Promise<UnlockAnswer> = async () => ({ outcome: 'confirmed' });
  /** Requests that write, as `METHOD path body`. */
  readonly writes: string[] = [];
  pinging = true;
  signedIn = true;

  private constructor(snapshot: wire.Snapshot) {
    this.snapshot = wire.snapshot.parse(snapshot);
    this.cards = z.array(wire.unknownCard).parse(unknownCardsOf(Date.parse(snapshot.at)));
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch((error: unknown) => {
        problem(response, 500, 'internal', String(error));
      });
    });
    this.#pings = setInterval(() => {
      if (this.pinging) this.#emit('ping', wire.ping.parse({ at: at(Date.now()) }));
    }, PING_EVERY_MS);
  }

  static async start(snapshot: wire.Snapshot = snapshotOf(Date.now())): Promise<FixtureServer> {
    if (!existsSync(join(DASHBOARD_DIR, 'index.html')))
      throw new Error('The dashboard is not built: run `npm run build:dashboard`.');
    const fixture = new FixtureServer(snapshot);
    await new Promise<void>((listening) => fixture.#server.listen(0, '127.0.0.1', listening));
    return fixture;
  }
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  async stop(): Promise<void> {
    clearInterval(this.#pings);
    await new Promise<void>((closed) => {
      this.#server.close(() => closed());
      this.#server.closeAllConnections();
    });
  }

  /** Sends a change to every page, and keeps it for those that come later. */
  change(news: Omit<wire.Change, 'at'>): void {
    const change = wire.change.parse({ at: at(Date.now()), ...news });
    const put = <T extends { id: string }>(all: T[], some: T[] = []): T[] => [
      ...all.filter((one) => !some.some((other) => other.id === one.id)),
      ...some,
    ];
    const { rooms, doors, devices, bookings } = this.snapshot;
    this.snapshot = {
      ...this.snapshot,
      rooms: rooms.map((room) => change.rooms?.find((other) => other.id === room.id) ?? room),
      doors: doors.map((door) => change.doors?.find((other) => other.id === door.id) ?? door),
      devices: put(devices, change.devices),
      bookings: put(bookings, change.bookings),
      alarms: put(this.snapshot.alarms, change.alarms).filter((alarm) => alarm.status !== 'resolved'),
      events: [...(change.events ?? []), ...this.snapshot.events],
    };
    this.#emit('change', change);
  }
  /** Ends every stream, as a gateway that restarts does. */
  dropStreams(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  #emit(type: string, data: unknown): void {
    this.#eventId += 1;
    for (const stream of this.#streams)
      stream.write(`id: ${this.#eventId}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    response.setHeader('Content-Security-Policy', POLICY);
    const url = new URL(request.url ?? '/', 'http://fixture');
    if (!url.pathname.startsWith('/api/v1/')) return serveFile(url.pathname, response);
    const method = request.method ?? 'GET';
    const path = url.pathname.slice('/api/v1/'.length).split('/').map(decodeURIComponent);
    const body: unknown = method === 'GET' ? undefined : JSON.parse((await text(request)) || '{}');
    if (path[0] === 'session' && method === 'POST') return this.#signIn(body, response);
    const known = request.headers.cookie?.includes(COOKIE) && this.signedIn;
    if (!known) return problem(response, 401, 'unauthenticated', 'Not signed in');
    if (method === 'GET') return this.#read(path, url.searchParams, response);
    if (request.headers['x-csrf-token'] !== CSRF) return problem(response, 403, 'csrf', 'The CSRF token is missing');
    this.writes.push(`${method} ${path.join('/')} ${JSON.stringify(body)}`);
    return this.#write(method, path, body, response);
  }

  #signIn(body: unknown, response: ServerResponse): unknown {
    const { username, password } = wire.signIn.parse(body);
    if (username !== USER.username || password !== USER.password)
      return problem(response, 401, 'wrong_password', 'User name or password is wrong');
    this.signedIn = true;
    response.setHeader('Set-Cookie', `${COOKIE}; Path=/; HttpOnly; SameSite=Strict`);
    return send(response, 200, wire.session, this.#session());
  }
  #session(): wire.Session {
    return { user: USER.username, role: this.role, csrf: CSRF, member: null };
  }

  #read(path: string[], query: URLSearchParams, response: ServerResponse): unknown {
    switch (path.join('/')) {
      case 'session':
        return send(response, 200, wire.session, this.#session());
      case 'stream':
        return this.#stream(response);
      case 'members':
        return send(response, 200, z.array(wire.member), this.members);
      case 'credentials':
        return send(response, 200, z.array(wire.credential), this.credentials);
      case 'credentials/unknown':
        return send(response, 200, z.array(wire.unknownCard), this.cards);
      case 'devices':
        return send(response, 200, wire.devices, {
          items: this.snapshot.devices,
          refusedLogins: refusedLoginsOf(Date.now()),
        });
      case 'calendars':
        return send(response, 200, wire.calendars, this.calendars);
      case 'bookings': {
        const from = query.get('from') ?? '';
        const to = query.get('to') ?? '9';
        const inside = this.snapshot.bookings.filter((booking) => booking.start < to && booking.end > from);
        return send(response, 200, z.array(wire.booking), inside);
      }
      case 'occupancy':
        return send(response, 200, wire.occupancySeries, { series: occupancyHistory(query) });
      case 'climate':
        return send(response, 200, wire.climateSeries, { series: climateHistory(query) });
      default:
        return problem(response, 404, 'not_found', 'There is no such thing');
    }
  }

  #stream(response: ServerResponse): unknown {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.write(`id: 0\nevent: snapshot\ndata: ${JSON.stringify({ ...this.snapshot, at: at(Date.now()) })}\n\n`);
    this.#streams.add(response);
    this.streamsOpened += 1;
    return response.on('close', () => this.#streams.delete(response));
  }

  async #write(method: string, path: string[], body: unknown, response: ServerResponse): Promise<unknown> {
    const [what, id = '', action] = path;
    if (what === 'session') {
      this.signedIn = false;
      response.writeHead(204).end();
      return this.dropStreams();
    }
    if (what === 'doors' && action) {
      wire.doorAction.parse(body);
      return send(response, 200, wire.doorOutcome, { command: 'c-now', ...(await this.unlock()) });
    }
    if (what === 'devices' && action === 'test') {
      wire.testPulse.parse(body);
      return send(response, 200, wire.doorOutcome, { command: 'c-test', outcome: 'confirmed' });
    }
    if (what === 'calendars' && action === 'refresh') {
      const now = at(Date.now());
      this.calendars = this.calendars.map((one) =>
        one.id === id ? { ...one, lastTriedAt: now, state: 'ok', why: '', lastGoodAt: now } : one,
      );
      response.writeHead(202).end();
      return;
    }
    if (what === 'alarms') return this.#alarm(id, action ?? '', wire.alarmNote.parse(body).note, response);
    if (what === 'bookings') return this.#booking(method, id, body, response);
    if (what === 'members') return this.#member(id, body, response);
    if (what === 'credentials') return this.#credential(method, id, body, response);
    return problem(response, 404, 'not_found', 'There is no such thing');
  }

  #alarm(id: string, action: string, note: string, response: ServerResponse): unknown {
    const alarm = this.snapshot.alarms.find((one) => one.id === id);
    if (!alarm) return problem(response, 404, 'not_found', 'There is no such alarm');
    const after: wire.Alarm =
      action === 'resolve'
        ? { ...alarm, status: 'resolved', resolvedAt: at(Date.now()) }
        : { ...alarm, status: 'acknowledged', acknowledgedBy: USER.username, acknowledgedAt: at(Date.now()), note };
    send(response, 200, wire.alarm, after);
    this.change({ alarms: [after] });
  }

  #booking(method: string, id: string, body: unknown, response: ServerResponse): unknown {
    const before = this.snapshot.bookings.find((one) => one.id === id);
    if (method === 'DELETE' && before) {
      response.writeHead(204).end();
      return this.change({ bookings: [{ ...before, status: 'cancelled' }] });
    }
    const after: wire.Booking =
      method === 'POST'
        ? {
            ...wire.newBooking.omit({ repeat: true, skipClashes: true }).parse(body),
            id: `b-new-${this.writes.length}`,
            source: 'local',
          }
        : wire.booking.parse({ ...before, ...wire.bookingChange.parse(body) });
    const clash = this.snapshot.bookings.find(
      (one) =>
        one.id !== after.id &&
        one.room === after.room &&
        one.status !== 'cancelled' &&
        Date.parse(one.start) < Date.parse(after.end) &&
        Date.parse(one.end) > Date.parse(after.start),
    );
    if (clash) return problem(response, 409, 'booking_overlap', 'The room is booked at that time', { clash });
    send(response, method === 'POST' ? 201 : 200, wire.booking, after);
    this.change({ bookings: [after] });
  }

  #member(id: string, body: unknown, response: ServerResponse): unknown {
    const before = this.members.find((one) => one.id === id);
    const after = before
      ? wire.member.parse({ ...before, ...wire.memberChange.parse(body) })
      : { ...wire.newMember.parse(body), id: `m-new-${this.members.length}` };
    this.members = [...this.members.filter((one) => one.id !== after.id), after];
    return send(response, before ? 200 : 201, wire.member, after);
  }

  #credential(method: string, id: string, body: unknown, response: ServerResponse): unknown {
    if (method === 'DELETE') {
      this.credentials = this.credentials.map((one) => (one.id === id ? { ...one, status: 'revoked' } : one));
      response.writeHead(204).end();
      return;
    }
    const asked = wire.newCredential.parse(body);
    const card = 'seen' in asked ? this.cards.find((one) => one.id === asked.seen) : undefined;
    if (!card) return problem(response, 404, 'not_found', 'No such card was seen');
    this.cards = this.cards.filter((one) => one !== card);
    const { format, last4 } = card;
    const made = {
      id: `k-${card.id}`,
      member: asked.member,
      format,
      last4,
      status: 'active' as const,
      validFrom: null,
      validUntil: null,
    };
    this.credentials.push(made);
    return send(response, 201, wire.credential, made);
  }
}

function send<T extends z.ZodType>(response: ServerResponse, status: number, schema: T, answer: z.input<T>): unknown {
  return response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(schema.parse(answer)));
}
function problem(response: ServerResponse, status: number, code: string, title: string, extra: object = {}): unknown {
  const body = wire.problem.loose().parse({ type: `about:blank#${code}`, title, status, code, detail: '', ...extra });
  return response.writeHead(status, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify(body));
}
async function text(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}
function serveFile(path: string, response: ServerResponse): unknown {
  const file = join(DASHBOARD_DIR, normalize(path === '/' ? '/index.html' : path));
  if (!file.startsWith(DASHBOARD_DIR) || !existsSync(file)) {
    response.writeHead(404).end();
    return;
  }
  response
    .writeHead(200, { 'Content-Type': TYPES[extname(file)] ?? 'application/octet-stream' })
    .end(readFileSync(file));
}

const STEP_MS = 300_000;
function steps(query: URLSearchParams): number[] {
  const from = Date.parse(query.get('from') ?? '');
  const to = Date.parse(query.get('to') ?? '');
  const first = Math.ceil(from / STEP_MS) * STEP_MS;
  return Array.from({ length: Math.max(0, Math.floor((to - first) / STEP_MS)) }, (_, index) => first + index * STEP_MS);
}
/** In use for half of the working day's hours, by room. */
function busy(atMs: number, room: string): boolean {
  const hour = new Date(atMs).getUTCHours();
  return hour >= 7 && hour < 17 && (Math.floor(atMs / 2_700_000) + room.length) % 3 !== 0;
}
function occupancyHistory(query: URLSearchParams): wire.OccupancySeries['series'] {
  const room = query.get('room') ?? '';
  return steps(query).map((atMs) => {
    const occupied = busy(atMs, room);
    return {
      at: at(atMs),
      state: occupied ? 'occupied' : 'vacant',
      occupied,
      confidence: 0.95,
      booked: occupied,
      people: null,
    };
  });
}
function climateHistory(query: URLSearchParams): wire.ClimateSeries['series'] {
  const room = query.get('room') ?? '';
  let temperature = 17;
  return steps(query).map((atMs) => {
    const occupied = busy(atMs, room);
    temperature += ((occupied ? 21.4 : 16.8) - temperature) * 0.06;
    return {
      at: at(atMs),
      temperature: Math.round(temperature * 10) / 10,
      heatingSetpoint: occupied ? 21 : 16,
      coolingSetpoint: occupied ? 24 : 32,
      humidity: 45,
      co2: 700,
      mode: occupied ? 'occupied' : 'setback',
      heating: occupied,
      cooling: false,
    };
  });
}
