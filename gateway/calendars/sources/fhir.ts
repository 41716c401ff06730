/**
 * FHIR R4: the Appointments of a practice's own software (hl7.org/fhir/R4/appointment.html). Looked at by search, all pages
 * or none. Slot and Schedule never grant; of patients nothing is kept (see `push/appointment.ts`).
 *
 * Pushed messages need `secret`. Their content is never believed:
 * - signed as ours are (`X-Doorward-Timestamp`, `X-Doorward-Signature`) with an Appointment in it, that Appointment is
 *   fetched from the server at once; with anything else in it the whole list is;
 * - with `Authorization: Bearer <secret>`, which is all that a rest-hook Subscription can send (`channel.header`), it is a
 *   reason to look at the list. The body is not read at all.
 * A replay therefore does no more than cause a look; the memory of messages is not kept over a restart.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { failureOf, HttpClient } from '../net/http.ts';
import { readAddress } from '../net/url.ts';
import { addMails, keepAppointment, practitionersOf } from '../push/appointment.ts';
import { bundleFormat } from '../push/bundle.ts';
import { get, parseJson } from '../push/fields.ts';
import { readList } from '../push/pager.ts';
import { iso } from '../push/preset.ts';
import { doorward } from '../push/presets/doorward.ts';
import { releaseCallback } from '../push/release.ts';
import { ReplayMemory } from '../push/replay.ts';
import { type SignatureScheme, verify } from '../push/signature.ts';
import type { FhirSettings } from '../settings.ts';
import type { CalendarSource, Polled, Pushed, PushRequest } from '../types.ts';

export interface FhirOptions {
  readonly http?: Pick<HttpClient, 'request'> | undefined;
  /** Unix ms. */
  readonly now?: (() => number) | undefined;
  /** How far ahead appointments are fetched; `LOOK_AHEAD_MS` unless given. */
  readonly aheadMs?: number | undefined;
}

const DAY_MS = 86_400_000;
/** The search goes by the start, so that it begins as far back as a running appointment may have begun. */
export const LOOK_BACK_MS = 7 * DAY_MS;
export const LOOK_AHEAD_MS = 92 * DAY_MS;
const PAGE_SIZE = 200;
/** How far the clock of whoever pushes may be off. */
export const PUSH_TOLERANCE_MS = 5 * 60_000;
/** Larger messages are not even hashed. */
export const MAX_PUSH_BYTES = 256 * 1024;
/** One Appointment, contained resources and all. */
const MAX_APPOINTMENT_BYTES = 256 * 1024;
const ID = /^[A-Za-z0-9\-.]{1,64}$/;
/** After a single Appointment was fetched, the next list is not `unchanged` whatever it was before. */
const CURSOR_AFTER_PUSH = 'pushed';

const SCHEME = doorward.scheme as SignatureScheme;

/** @param settings checked by `gateway/config` */
export function fhirSource(settings: FhirSettings, options: FhirOptions = {}): CalendarSource {
  const source = new FhirSource(settings, options);
  const release = releaseCallback(settings, { now: options.now });
  const { secret } = settings;
  return {
    id: settings.id,
    kind: 'fhir',
    poll: (cursor, signal) => source.poll(cursor, signal),
    ...(secret === undefined || secret === ''
      ? {}
      : { receive: (request, _cursor, signal) => source.receive(request, secret, signal) }),
    ...(release === undefined ? {} : { release }),
  };
}

class FhirSource {
  readonly #http: Pick<HttpClient, 'request'>;
  readonly #base: URL | undefined;
  readonly #now: () => number;
  readonly #aheadMs: number;
  readonly #replays = new ReplayMemory();
  /** Of the last list; empty where the server does not include Practitioners. */
  #mailsOf: ReadonlyMap<string, readonly string[]> | undefined;

  constructor(settings: FhirSettings, options: FhirOptions) {
    const read = readAddress(settings.url);
    this.#base = read?.url;
    this.#now = options.now ?? Date.now;
    this.#aheadMs = options.aheadMs ?? LOOK_AHEAD_MS;
    const user = read?.user === undefined ? {} : { username: read.user.name, password: read.user.password };
    // The credentials go to the configured server only.
    this.#http =
      options.http ?? new HttpClient({ ...settings.http, ...user, trusts: (url) => url.origin === read?.url.origin });
  }

  async poll(cursor: string | undefined, signal: AbortSignal): Promise<Polled> {
    const base = this.#address();
    if (base === undefined) return noAddress();
    const today = Math.floor(this.#now() / DAY_MS) * DAY_MS;
    const first = new URL(`${base}/Appointment`);
    // Two values of one parameter are joined by "and" (hl7.org/fhir/R4/search.html#combining).
    first.searchParams.append('date', `ge${iso(today - LOOK_BACK_MS)}`);
    first.searchParams.append('date', `lt${iso(today + DAY_MS + this.#aheadMs)}`);
    first.searchParams.append('_count', String(PAGE_SIZE));
    // Members are known by their mail addresses, which stand in the Practitioner (R4 search parameter `practitioner`).
    first.searchParams.append('_include', 'Appointment:practitioner');
    const mailsOf = new Map<string, readonly string[]>();
    const polled = await readList(first, bundleFormat(base, mailsOf), { http: this.#http, signal }, cursor);
    if (polled.kind !== 'failed') this.#mailsOf = mailsOf;
    return polled;
  }

  async receive(request: PushRequest, secret: string, signal: AbortSignal): Promise<Pushed> {
    if (request.body.length > MAX_PUSH_BYTES) return { kind: 'refused', why: 'the message is larger than 256 kB' };
    if (request.headers[SCHEME.signatureHeader] === undefined && hasBearer(request, secret)) return { kind: 'poll' };
    const verdict = verify(request, SCHEME, secret, PUSH_TOLERANCE_MS);
    if (!verdict.ok) return { kind: 'refused', why: verdict.why };
    const nowMs = request.receivedAtMs;
    if (this.#replays.has(verdict.print, nowMs)) return { kind: 'refused', why: 'the message was here before' };
    this.#replays.add(verdict.print, nowMs, (verdict.atMs ?? nowMs) + PUSH_TOLERANCE_MS + 1);
    const resource = parseJson(request.body.toString('utf8'))?.value;
    const id = get(resource, 'id');
    if (get(resource, 'resourceType') !== 'Appointment' || typeof id !== 'string' || !ID.test(id)) {
      return { kind: 'poll' };
    }
    return this.#fetchOne(id, signal);
  }

  /** The Appointment as the server has it now; whatever goes wrong, the list will tell. */
  async #fetchOne(id: string, signal: AbortSignal): Promise<Pushed> {
    const base = this.#address();
    if (base === undefined) return { kind: 'poll' };
    const href = `Appointment/${id}`;
    const answer = await this.#http.request({
      url: `${base}/${href}`,
      headers: { accept: 'application/fhir+json' },
      signal,
      maxBytes: MAX_APPOINTMENT_BYTES,
    });
    if (answer.kind === 'failed') return { kind: 'poll' };
    // 410: it was deleted. 404 may be a server that is new to it: the list tells.
    if (answer.status === 410) return { kind: 'delta', changed: [], removed: [href], cursor: CURSOR_AFTER_PUSH };
    if (failureOf(answer) !== undefined) return { kind: 'poll' };
    const object = keepAppointment(parseJson(answer.body.toString('utf8'))?.value, base);
    if (object?.href !== href) return { kind: 'poll' };
    const mailsOf = this.#mailsOf;
    // Without the addresses that the list gives, the booking would lose its holder until the next look.
    const known =
      mailsOf !== undefined && (mailsOf.size === 0 || practitionersOf(object).every((one) => mailsOf.has(one)));
    if (!known) return { kind: 'poll' };
    return { kind: 'delta', changed: [addMails(object, mailsOf)], removed: [], cursor: CURSOR_AFTER_PUSH };
  }

  #address(): string | undefined {
    if (this.#base === undefined) return undefined;
    return `${this.#base.origin}${this.#base.pathname.replace(/\/+$/, '')}`;
  }
}

/** Both sides are hashed, so that their lengths and the time taken tell nothing. */
function hasBearer(request: PushRequest, secret: string): boolean {
  const match = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '');
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(match?.[1] ?? ''), hash(secret)) && match !== null;
}

function noAddress(): Polled {
  return { kind: 'failed', code: 'refused_address', why: 'The url of this source is no web address.' };
}
