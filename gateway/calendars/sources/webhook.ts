/**
 * A booking system that calls us. A message is checked in this order: size, signature present, timestamp, HMAC, replay,
 * then it is parsed.
 *
 * With `url` a good message is only a reason to look: the truth is fetched, and the regular look heals what was lost.
 * A replay can do no more than cause one more look, so that the memory of messages may be lost with a restart; it is in
 * memory. Without `url` the message's own content counts. Then the newest statement of each booking is kept in the
 * cursor together with the messages that were had (see `push/stamps.ts`), which the host stores in one transaction with
 * the bookings: so a replay is refused and an older statement is ignored after a restart too. Such a source cannot see
 * what it did not get: its silence means that nothing changed.
 */
import { HttpClient } from '../net/http.ts';
import { readAddress } from '../net/url.ts';
import { parseJson } from '../push/fields.ts';
import { type Reader, readList } from '../push/pager.ts';
import { People } from '../push/people.ts';
import { iso, type Preset, type PresetContext, type Reading } from '../push/preset.ts';
import { calcom } from '../push/presets/calcom.ts';
import { cobot, namesOurServer } from '../push/presets/cobot.ts';
import { doorward } from '../push/presets/doorward.ts';
import { nexudus } from '../push/presets/nexudus.ts';
import { officernd } from '../push/presets/officernd.ts';
import { releaseCallback } from '../push/release.ts';
import { ReplayMemory } from '../push/replay.ts';
import { type SignatureScheme, type Verdict, verify } from '../push/signature.ts';
import { Stamps } from '../push/stamps.ts';
import { TokenSource } from '../push/token.ts';
import type { WebhookSettings } from '../settings.ts';
import type { CalendarObject, CalendarSource, Polled, Pushed, PushRequest } from '../types.ts';

export interface WebhookOptions {
  readonly http?: Pick<HttpClient, 'request'> | undefined;
  /** Unix ms. */
  readonly now?: (() => number) | undefined;
  /** How far ahead bookings are fetched; `LOOK_AHEAD_MS` unless given. */
  readonly aheadMs?: number | undefined;
}

/** A larger message is not even hashed. */
export const MAX_PUSH_BYTES = 256 * 1024;
/** What is fetched: from a day back … */
export const LOOK_BACK_MS = 86_400_000;
/** … to this far ahead, unless told otherwise. */
export const LOOK_AHEAD_MS = 92 * 86_400_000;
/** Messages without a time of their own are remembered this long. */
const UNTIMED_MEMORY_MS = 86_400_000;
const DAY_MS = 86_400_000;
/** So long the host may take to store what a message changed; until then this source remembers it too. */
const STORING_MS = 30_000;
/** Unsigned hints: a burst is heard, a flood causes one look in ten seconds. */
const HINTS_AT_ONCE = 30;
const HINT_EVERY_MS = 10_000;

export const PRESETS: Readonly<Record<WebhookSettings['preset'], Preset>> = {
  doorward,
  officernd,
  nexudus,
  calcom,
  cobot,
};

/** @param settings checked by `gateway/config` */
export function webhookSource(settings: WebhookSettings, options: WebhookOptions = {}): CalendarSource {
  const source = new WebhookSource(settings, options);
  const release = releaseCallback(settings, { now: options.now });
  return {
    id: settings.id,
    kind: 'webhook',
    poll: (cursor, signal) => source.poll(cursor, signal),
    receive: (request, cursor, signal) => source.receive(request, cursor, signal),
    ...(release === undefined ? {} : { release }),
  };
}

class WebhookSource {
  readonly #settings: WebhookSettings;
  readonly #preset: Preset;
  readonly #scheme: SignatureScheme | undefined;
  readonly #context: PresetContext;
  readonly #now: () => number;
  readonly #aheadMs: number;
  readonly #replays = new ReplayMemory();
  /** Messages whose cursor the host may not have stored yet. */
  #storing: readonly Taken[] = [];
  readonly #http: Pick<HttpClient, 'request'> | undefined;
  readonly #tokens: TokenSource | undefined;
  readonly #people: People | undefined;
  #hints = HINTS_AT_ONCE;
  #hintsAtMs = 0;

  constructor(settings: WebhookSettings, options: WebhookOptions) {
    this.#settings = settings;
    this.#preset = PRESETS[settings.preset];
    this.#scheme = schemeOf(this.#preset, settings);
    this.#context = contextOf(settings);
    this.#now = options.now ?? Date.now;
    this.#aheadMs = options.aheadMs ?? LOOK_AHEAD_MS;
    if (settings.url === undefined) return;
    const http = options.http ?? clientOf(settings.url, settings);
    this.#http = http;
    this.#tokens = tokensOf(settings, http, this.#now);
    this.#people = peopleOf(settings, this.#preset, this.#now);
  }

  async poll(cursor: string | undefined, signal: AbortSignal): Promise<Polled> {
    const { url } = this.#settings;
    if (url === undefined || this.#http === undefined) return { kind: 'unchanged' };
    const first = this.#firstPage(url);
    if (first === undefined) {
      return { kind: 'failed', code: 'refused_address', why: 'The url of this source is no web address.' };
    }
    const authorization = await this.#tokens?.authorization(signal);
    if (typeof authorization === 'object') return authorization;
    const headers = authorization === undefined ? undefined : { authorization };
    const polled = await this.#read(first, { http: this.#http, signal, headers }, cursor);
    if (polled.kind === 'failed' && polled.code === 'unauthorised') this.#tokens?.forget();
    return polled;
  }

  /** The list, with the mail addresses of those whom it names by id. */
  async #read(first: URL, reader: Reader, cursor: string | undefined): Promise<Polled> {
    const people = this.#people;
    if (people === undefined) return readList(first, this.#preset.list(this.#context), reader, cursor);
    for (;;) {
      const known = await people.known(reader);
      if ('kind' in known) return known;
      let missed = false;
      const mailOf = (id: string): string | undefined => {
        missed ||= !known.mails.has(id);
        return known.mails.get(id);
      };
      const polled = await readList(first, this.#preset.list({ ...this.#context, mailOf }), reader, cursor);
      // Somebody who joined since: the directory is read anew, but not again and again for whom it does not have.
      if (!missed || !people.forget()) return polled;
    }
  }

  async receive(request: PushRequest, cursor: string | undefined, _signal: AbortSignal): Promise<Pushed> {
    if (request.body.length > MAX_PUSH_BYTES) return { kind: 'refused', why: 'the message is larger than 256 kB' };
    const hasUrl = this.#settings.url !== undefined;
    const nowMs = request.receivedAtMs;
    const verdict = this.#check(request);
    if (!verdict.ok) return { kind: 'refused', why: verdict.why };
    const stamps = hasUrl ? undefined : this.#stamps(cursor, nowMs);
    if (stamps?.knows(verdict.print, nowMs) === true || this.#replays.has(verdict.print, nowMs)) {
      return { kind: 'refused', why: 'the message was here before' };
    }
    if (!hasUrl && this.#preset.needsUrl === true) {
      const why = `messages of ${this.#preset.id} do not tell what has changed: give the source its url`;
      return { kind: 'malformed', why };
    }
    const payload = parseBody(request.body);
    if (payload === undefined) return { kind: 'malformed', why: 'the message is no JSON in UTF-8' };
    const reading = this.#preset.read(payload.value, this.#context);
    if (reading.kind === 'malformed' || reading.kind === 'ignored') return reading;
    const timeFault = this.#timeFault(reading, request);
    if (timeFault !== undefined) return { kind: 'refused', why: timeFault };
    const messageMs = verdict.atMs ?? (reading.kind === 'bookings' ? reading.atMs : undefined);
    const untilMs = messageMs === undefined ? nowMs + UNTIMED_MEMORY_MS : messageMs + this.#settings.toleranceMs + 1;
    if (stamps === undefined) return this.#hint(payload.value, verdict.print, nowMs, untilMs);
    // Only a look would tell, and there is nowhere to look.
    if (reading.kind === 'poll') return { kind: 'ignored' };
    const taken: Taken = { print: verdict.print, untilMs, messageMs: messageMs ?? nowMs, atMs: nowMs, reading };
    this.#storing = [...this.#storing, taken];
    return { kind: 'delta', ...take(stamps, taken), cursor: stamps.write(nowMs) };
  }

  /**
   * What is known, out of the cursor and what the host is still storing: two messages may come before the first is in
   * the cursor. What could not be stored is forgotten after a while, so that its sender's next try is taken.
   */
  #stamps(cursor: string | undefined, nowMs: number): Stamps {
    const stamps = Stamps.read(cursor);
    this.#storing = this.#storing.filter(
      ({ print, atMs }) => nowMs - atMs < STORING_MS && nowMs >= atMs && !stamps.knows(print, nowMs),
    );
    for (const taken of this.#storing) take(stamps, taken);
    return stamps;
  }

  /** Where nothing is signed there is nothing to check: `#hint` then takes nothing from the message. */
  #check(request: PushRequest): Verdict {
    if (this.#scheme === undefined) return { ok: true, print: '' };
    return verify(request, this.#scheme, this.#settings.secret, this.#settings.toleranceMs);
  }

  /** For vendors that sign the time within the body. */
  #timeFault(reading: Reading, request: PushRequest): string | undefined {
    if (this.#preset.timeInBody !== true || reading.kind !== 'bookings' || reading.atMs === undefined) return undefined;
    const late = request.receivedAtMs - reading.atMs;
    if (Math.abs(late) <= this.#settings.toleranceMs) return undefined;
    return `the message is too ${late > 0 ? 'old' : 'far in the future'}; compare the clocks`;
  }

  /** A good message where there is an address: look there. */
  #hint(payload: unknown, print: string, nowMs: number, untilMs: number): Pushed {
    if (this.#scheme !== undefined) {
      this.#replays.add(print, nowMs, untilMs);
      return { kind: 'poll' };
    }
    const base = readAddress(this.#settings.url ?? '')?.url;
    if (base === undefined || !namesOurServer(payload, base)) return { kind: 'ignored' };
    const refill = Math.floor(Math.max(0, nowMs - this.#hintsAtMs) / HINT_EVERY_MS);
    if (refill > 0) {
      this.#hints = Math.min(HINTS_AT_ONCE, this.#hints + refill);
      this.#hintsAtMs = nowMs;
    }
    if (this.#hints === 0) return { kind: 'ignored' };
    this.#hints -= 1;
    return { kind: 'poll' };
  }

  /** Whole days, so that the same list is asked for all day long. `{from}` and `{to}` in the address are filled in. */
  #firstPage(configured: string): URL | undefined {
    const today = Math.floor(this.#now() / DAY_MS) * DAY_MS;
    const [fromMs, toMs] = [today - LOOK_BACK_MS, today + DAY_MS + this.#aheadMs];
    if (/\{(?:from|to)\}/.test(configured)) {
      const filled = configured
        .replaceAll('{from}', encodeURIComponent(iso(fromMs)))
        .replaceAll('{to}', encodeURIComponent(iso(toMs)));
      return readAddress(filled)?.url;
    }
    const base = readAddress(configured)?.url;
    return base === undefined ? undefined : this.#preset.first(base, fromMs, toMs);
  }
}

/** A message whose content counts. */
interface Taken {
  readonly print: string;
  readonly untilMs: number;
  /** When it was signed. */
  readonly messageMs: number;
  /** When it came. */
  readonly atMs: number;
  readonly reading: Extract<Reading, { kind: 'bookings' }>;
}

/** What is news in it. Even with nothing new in it, the message itself is remembered. */
function take(
  stamps: Stamps,
  { print, untilMs, messageMs, atMs, reading }: Taken,
): {
  readonly changed: readonly CalendarObject[];
  readonly removed: readonly string[];
} {
  stamps.remember(print, untilMs);
  const removed = reading.removed.filter((removal) => stamps.accept(removal, messageMs, atMs));
  const changed = reading.statements.filter((statement) => stamps.accept(statement, messageMs, atMs));
  return { changed: changed.map(({ object }) => object), removed: removed.map(({ href }) => href) };
}

/** Header names may be configured; a timestamp header where the vendor has none means a proxy that signs for it. */
function schemeOf(preset: Preset, settings: WebhookSettings): SignatureScheme | undefined {
  const { signatureHeader, timestampHeader } = settings;
  const own = preset.scheme;
  if (own === undefined && signatureHeader === undefined) return undefined;
  const base: SignatureScheme = own ?? { signatureHeader: '', timestamp: 'none', signed: ['body'] };
  const named = { ...base, signatureHeader: (signatureHeader ?? base.signatureHeader).toLowerCase() };
  if (timestampHeader === undefined) return named;
  const timed: SignatureScheme = { ...named, timestampHeader: timestampHeader.toLowerCase(), timestamp: 'required' };
  return base.timestamp === 'required' ? timed : { ...timed, signed: ['timestamp.body'] };
}

function contextOf({ id, rooms, holder }: WebhookSettings): PresetContext {
  const labels = new Set(Object.keys(rooms.map).map(fold));
  return { source: id, attendees: holder.by === 'attendee', isRoom: (text) => labels.has(fold(text)) };
}

function fold(text: string): string {
  return text.normalize('NFC').trim().replace(/\s+/g, ' ').toLowerCase();
}

/** The credentials go to the configured server only. */
function clientOf(address: string, settings: WebhookSettings): HttpClient {
  const read = readAddress(address);
  const user = read?.user === undefined ? {} : { username: read.user.name, password: read.user.password };
  const oauth = settings.preset === 'officernd' && settings.http.bearer === undefined;
  return new HttpClient({ ...settings.http, ...user, trusts: (url) => !oauth && url.origin === read?.url.origin });
}

/** The vendor's directory, where holders are known by their mail addresses and its bookings name them by id. */
function peopleOf(settings: WebhookSettings, preset: Preset, now: () => number): People | undefined {
  const base = readAddress(settings.url ?? '')?.url;
  if (base === undefined || preset.people === undefined || !needsMails(settings)) return undefined;
  // An address with `{from}` has a path of its own: the directory's cannot be told from it.
  return /\{(?:from|to)\}/.test(settings.url ?? '') ? undefined : new People(preset.people, base, now);
}

function needsMails({ holder }: WebhookSettings): boolean {
  return holder.by === 'attendee' || holder.by === 'organizer';
}

const OFFICERND_IDENTITY = 'https://identity.officernd.com/oauth/token';
const OFFICERND_SCOPE = 'flex.space.bookings.read';
const OFFICERND_PEOPLE_SCOPE = 'flex.community.members.read';

/** OfficeRnD's API takes tokens of an hour: user name and password are the application's client id and secret. */
function tokensOf(
  settings: WebhookSettings,
  http: Pick<HttpClient, 'request'>,
  now: () => number,
): TokenSource | undefined {
  const { username, password, bearer } = settings.http;
  if (settings.preset !== 'officernd' || bearer !== undefined || username === undefined) return undefined;
  const api = readAddress(settings.url ?? '')?.url;
  const ours = api?.hostname === 'officernd.com' || api?.hostname.endsWith('.officernd.com') === true;
  const url = ours ? OFFICERND_IDENTITY : new URL('/oauth/token', api).href;
  const scope = needsMails(settings) ? `${OFFICERND_SCOPE} ${OFFICERND_PEOPLE_SCOPE}` : OFFICERND_SCOPE;
  return new TokenSource({ url, id: username, secret: password ?? '', scope }, http, now);
}

function parseBody(body: Buffer): { readonly value: unknown } | undefined {
  try {
    return parseJson(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
