import type { Calendar } from '../../gateway/wire/calendars.ts';
import type {
  Booking,
  ChangedBooking,
  ClimateSeries,
  Credential,
  Event,
  LeftOut,
  MadeBooking,
  Member,
  NewBooking,
  OccupancySeries,
  Session,
  UnknownCard,
} from '../../gateway/wire/clinic.ts';
import type { Problem } from '../../gateway/wire/common.ts';
import type { Alarm, Device, RefusedLogin } from '../../gateway/wire/rooms.ts';

const BASE = '/api/v1';
/** A door command is answered when its outcome is known: at most hold time + 5 s, so this is longer than any. */
export const DOOR_ANSWER_MS = 40_000;
export const ANSWER_MS = 15_000;

/** A refusal of the gateway (RFC 9457), or `code: 'unreachable'` when no answer came. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** The booking in the way, with `booking_overlap`. */
  readonly clash: Partial<Booking> | string | undefined;
  /** For a series every time that is taken, by start. */
  readonly clashes: readonly LeftOut[];
  constructor(
    status: number,
    code: string,
    message: string,
    clash?: Partial<Booking> | string,
    clashes: readonly LeftOut[] = [],
  ) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.clash = clash;
    this.clashes = clashes;
  }
}

export interface DoorAnswer {
  readonly command: string;
  readonly outcome: 'confirmed' | 'failed' | 'unknown';
  readonly why?: string;
}
export type BookingChange = Partial<Omit<NewBooking, 'id' | 'status' | 'repeat' | 'skipClashes'>> & {
  status?: Booking['status'];
};
/** How far a change of one booking of a series goes. */
export type Scope = 'this' | 'following' | 'all';
export type NewMember = Pick<Member, 'name' | 'kind' | 'rights' | 'addresses'>;
export type MemberChange = Partial<Pick<Member, 'name' | 'kind' | 'status' | 'rights' | 'addresses'>>;
/** `[from, to)` as RFC 3339, and the step as the API writes it, e.g. `300s`. */
export interface SeriesQuery {
  readonly room: string;
  readonly from: string;
  readonly to: string;
  readonly every: string;
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';
type Listed<T> = readonly T[] | { readonly items: readonly T[] };

function items<T>(answer: Listed<T>): T[] {
  return 'items' in answer ? [...answer.items] : [...answer];
}

const query = (fields: object) =>
  new URLSearchParams(
    Object.entries(fields)
      .filter(([, value]) => value !== undefined && value !== '')
      .map(([key, value]) => [key, String(value)]),
  ).toString();
const scopeQuery = (scope: Scope) => (scope === 'this' ? '' : `?${query({ scope })}`);
const path = (...parts: string[]) => parts.map(encodeURIComponent).join('/');

/** The gateway's interface as the dashboard uses it: cookie session, CSRF header on every write, no retry of a write. */
export class Api {
  #csrf = '';
  readonly #fetch: typeof fetch;
  /** Called when the session no longer holds. */
  onSignedOut: () => void = () => {};

  constructor(fetcher: typeof fetch = (...args) => fetch(...args)) {
    this.#fetch = fetcher;
  }

  async session(): Promise<Session | null> {
    try {
      return this.#keep(await this.#call<Session>('GET', 'session', undefined, ANSWER_MS, false));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return null;
      throw error;
    }
  }
  async signIn(username: string, password: string): Promise<Session> {
    return this.#keep(await this.#call<Session>('POST', 'session', { username, password }, ANSWER_MS, false));
  }
  async signOut(): Promise<void> {
    await this.#call('DELETE', 'session');
    this.#csrf = '';
  }

  door(id: string, op: 'unlock' | 'lock', reason: string): Promise<DoorAnswer> {
    return this.#call('POST', path('doors', id, op), { reason }, DOOR_ANSWER_MS);
  }
  alarm(id: string, action: 'acknowledge' | 'resolve', note: string): Promise<Alarm> {
    return this.#call('POST', path('alarms', id, action), { note });
  }

  /** The reader's word that the gateway's clock is right. */
  async confirmTime(): Promise<void> {
    await this.#call('POST', 'time/confirm');
  }

  async bookings(from: string, to: string): Promise<Booking[]> {
    return items(await this.#call<Listed<Booking>>('GET', `bookings?${query({ from, to })}`));
  }
  addBooking(booking: NewBooking): Promise<MadeBooking> {
    return this.#call('POST', 'bookings', booking);
  }
  changeBooking(id: string, change: BookingChange, scope: Scope = 'this'): Promise<ChangedBooking> {
    return this.#call('PATCH', path('bookings', id) + scopeQuery(scope), change);
  }
  cancelBooking(id: string, scope: Scope = 'this'): Promise<void> {
    return this.#call('DELETE', path('bookings', id) + scopeQuery(scope));
  }

  async calendars(): Promise<Calendar[]> {
    return items(await this.#call<Listed<Calendar>>('GET', 'calendars'));
  }
  /** Asks the gateway to look at a calendar now; what comes of it is read afterwards. */
  async refreshCalendar(id: string): Promise<void> {
    await this.#call('POST', path('calendars', id, 'refresh'));
  }

  async members(): Promise<Member[]> {
    return items(await this.#call<Listed<Member>>('GET', 'members'));
  }
  addMember(member: NewMember): Promise<Member> {
    return this.#call('POST', 'members', member);
  }
  changeMember(id: string, change: MemberChange): Promise<Member> {
    return this.#call('PATCH', path('members', id), change);
  }
  async credentials(): Promise<Credential[]> {
    return items(await this.#call<Listed<Credential>>('GET', 'credentials'));
  }
  async unknownCards(): Promise<UnknownCard[]> {
    return items(await this.#call<Listed<UnknownCard>>('GET', 'credentials/unknown'));
  }
  enrol(member: string, seen: string): Promise<Credential> {
    return this.#call('POST', 'credentials', { member, seen });
  }
  addCredential(member: string, format: 'uid' | 'bits' | 'fc-cn', value: string): Promise<Credential> {
    return this.#call('POST', 'credentials', { member, format, value });
  }
  revoke(id: string): Promise<void> {
    return this.#call('DELETE', path('credentials', id));
  }

  events(filter: {
    room?: string | undefined;
    kind?: string | undefined;
    cursor?: string | undefined;
    limit?: number;
  }): Promise<{ items: Event[]; next: string | null }> {
    return this.#call('GET', `events?${query(filter)}`);
  }
  occupancy(of: SeriesQuery): Promise<OccupancySeries> {
    return this.#call('GET', `occupancy?${query(of)}`);
  }
  climate(of: SeriesQuery): Promise<ClimateSeries> {
    return this.#call('GET', `climate?${query(of)}`);
  }
  async devices(): Promise<{ items: Device[]; refusedLogins: RefusedLogin[] }> {
    return this.#call('GET', 'devices');
  }
  testPulse(device: string, capability: string): Promise<{ outcome?: string; why?: string } | undefined> {
    return this.#call('POST', path('devices', device, 'test'), { capability }, DOOR_ANSWER_MS);
  }

  #keep(session: Session): Session {
    this.#csrf = session.csrf;
    return session;
  }

  async #call<T>(method: Method, to: string, body?: unknown, answerMs = ANSWER_MS, watch = true): Promise<T> {
    const headers: Record<string, string> = { Accept: 'application/json' };
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (method !== 'GET' && this.#csrf) headers['X-CSRF-Token'] = this.#csrf;
    let response: Response;
    try {
      response = await this.#fetch(`${BASE}/${to}`, {
        method,
        headers,
        credentials: 'same-origin',
        cache: 'no-store',
        signal: AbortSignal.timeout(answerMs),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      const late = cause instanceof DOMException && cause.name === 'TimeoutError';
      throw new ApiError(
        0,
        'unreachable',
        late ? 'The gateway did not answer in time.' : 'The gateway cannot be reached.',
      );
    }
    if (response.ok) return (/^20[24]$/.test(String(response.status)) ? undefined : await response.json()) as T;
    if (response.status === 401 && watch) this.onSignedOut();
    throw await refusal(response);
  }
}

async function refusal(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => ({}))) as Partial<Problem> & {
    clash?: Partial<Booking> | string;
    clashes?: LeftOut[];
  };
  // The detail of a request with faults is the same faults in one line.
  const faults = problem.errors?.map((fault) => `${fault.path.replace(/^body\./, '')}: ${fault.message}`);
  const text = [problem.title, faults?.length ? [...new Set(faults)].join('; ') : problem.detail]
    .filter(Boolean)
    .join('. ');
  return new ApiError(
    response.status,
    problem.code ?? 'internal',
    text || `The gateway answered ${response.status}.`,
    problem.clash,
    problem.clashes,
  );
}
