/**
 * A CalDAV server in memory over real HTTP, which can be told to do what a healthy one never does. It shares no code with
 * the client: requests are read with plain patterns, answers are written by hand.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Resource {
  etag: string;
  body: string;
}
export interface Calendar {
  name: string;
  readonly items: Map<string, Resource>;
  /** Revision at which a resource last changed or went. */
  readonly changedAt: Map<string, number>;
  revision: number;
  /** Tokens older than this are not known any more. */
  forgottenBefore: number;
}
/** How the server speaks. */
export interface Manners {
  sync: boolean;
  ctag: boolean;
  tokenInListing: boolean;
  /** Changes told in one answer; more are cut with 507. */
  pageSize: number;
  /** How hrefs are written. */
  hrefs: 'path' | 'absolute' | 'relative' | 'odd';
  prefix: string;
  /** Status for a token that is not known. */
  staleStatus: number;
  multiget: boolean;
  propfindMembers: boolean;
}
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
}
export interface Answer {
  readonly status: number;
  readonly body?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}
/** What a test may do to one exchange: another answer, a changed one, or 'drop' for a broken connection. */
export type Meddle = (asked: Asked, answer: () => Answer) => Answer | 'drop' | undefined;

const MANNERS: Manners = {
  sync: true,
  ctag: true,
  tokenInListing: true,
  pageSize: 1_000,
  hrefs: 'path',
  prefix: 'D:',
  staleStatus: 403,
  multiget: true,
  propfindMembers: true,
};

export class DavServer {
  readonly calendars = new Map<string, Calendar>();
  readonly manners: Manners = { ...MANNERS };
  readonly asked: Asked[] = [];
  meddle: Meddle | undefined;
  private readonly http: Server;
  private counter = 0;

  constructor() {
    this.http = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => this.serve(request, response, Buffer.concat(parts).toString('utf8')));
    });
  }

  async listen(): Promise<this> {
    await new Promise<void>((resolve) => this.http.listen(0, '127.0.0.1', resolve));
    return this;
  }
  async close(): Promise<void> {
    this.http.closeAllConnections();
    await new Promise((resolve) => this.http.close(resolve));
  }
  get url(): string {
    return `http://127.0.0.1:${(this.http.address() as AddressInfo).port}/`;
  }

  reset(): void {
    this.calendars.clear();
    this.asked.length = 0;
    this.meddle = undefined;
    Object.assign(this.manners, MANNERS);
  }
  /** `room-1` lies at `/cal/room-1/`. */
  add(id: string, name = id): Calendar {
    const revision = ++this.counter;
    const calendar = { name, items: new Map(), changedAt: new Map(), revision, forgottenBefore: revision };
    this.calendars.set(id, calendar);
    return calendar;
  }
  /** @param text in the calendar; a whole calendar stays as it is. */
  put(id: string, name: string, text: string): void {
    const body = text.startsWith('BEGIN:') ? text : `BEGIN:VCALENDAR\r\nX:${text}\r\nEND:VCALENDAR\r\n`;
    const calendar = this.calendars.get(id) ?? this.add(id);
    calendar.items.set(name, { etag: `"${++this.counter}"`, body });
    this.touch(calendar, name);
  }
  remove(id: string, name: string): void {
    const calendar = this.calendars.get(id);
    if (calendar?.items.delete(name) === true) this.touch(calendar, name);
  }
  forgetTokens(id: string): void {
    const calendar = this.calendars.get(id);
    if (calendar === undefined) return;
    calendar.forgottenBefore = ++this.counter;
    this.touch(calendar, '');
  }
  /** All resources by path, as a mirror should hold them. */
  contents(): Map<string, string> {
    const all = new Map<string, string>();
    for (const [id, { items }] of this.calendars)
      for (const [name, { body }] of items) all.set(`/cal/${id}/${name}`, body);
    return all;
  }

  private touch(calendar: Calendar, name: string): void {
    calendar.revision = ++this.counter;
    if (name !== '') calendar.changedAt.set(name, calendar.revision);
  }

  private serve(request: IncomingMessage, response: ServerResponse, body: string): void {
    const asked = { method: request.method ?? '', path: request.url ?? '/', body, headers: request.headers };
    this.asked.push(asked);
    const answer = this.meddle?.(asked, () => this.answer(asked)) ?? this.answer(asked);
    if (answer === 'drop') {
      request.socket.destroy();
      return;
    }
    const type = { 'content-type': answer.status === 207 ? 'application/xml; charset=utf-8' : 'text/plain' };
    response.writeHead(answer.status, { ...type, ...answer.headers });
    response.end(answer.body ?? '');
  }

  answer(asked: Asked): Answer {
    const { method, path } = asked;
    const [, id, name] = /^\/cal\/([^/]+)\/(.*)$/.exec(path) ?? [];
    const calendar = id === undefined ? undefined : this.calendars.get(id);
    if (path === '/.well-known/caldav') return { status: 301, headers: { location: '/' } };
    if (method === 'PROPFIND' && path === '/') return this.multi([this.principal('/')]);
    if (method === 'PROPFIND' && path === '/me/') return this.multi([this.principal('/me/')]);
    if (method === 'PROPFIND' && path === '/cal/') return this.home(asked);
    if (id === undefined || name === undefined || calendar === undefined) return { status: 404 };
    if (method === 'PROPFIND' && name === '') return this.members(asked, id, calendar);
    if (method === 'REPORT' && asked.body.includes('sync-collection')) return this.sync(asked, id, calendar);
    if (method === 'REPORT' && asked.body.includes('calendar-multiget')) return this.multiget(asked, id, calendar);
    if (method === 'REPORT') return this.multi([...calendar.items.keys()].map((one) => this.member(id, one, calendar)));
    return this.resource(asked, calendar, name);
  }

  private principal(path: string): string {
    const home = path === '/me/' ? this.tag('C', 'calendar-home-set', `<${this.p}href>/cal/</${this.p}href>`) : '';
    const me = this.tag('D', 'current-user-principal', `<${this.p}href>/me/</${this.p}href>`);
    return this.response(path, `${this.tag('D', 'resourcetype', this.tag('D', 'collection', ''))}${me}${home}`);
  }

  private home(asked: Asked): Answer {
    const own = this.response('/cal/', this.tag('D', 'resourcetype', this.tag('D', 'collection', '')));
    if (asked.headers.depth === '0') return this.multi([own]);
    return this.multi([own, ...[...this.calendars].map(([id, calendar]) => this.itself(id, calendar, asked))]);
  }

  private itself(id: string, calendar: Calendar, asked: Asked): string {
    const { ctag, sync, tokenInListing } = this.manners;
    const report = this.tag('D', 'supported-report', this.tag('D', 'report', this.tag('D', 'sync-collection', '')));
    const other = this.tag('D', 'supported-report', this.tag('D', 'report', this.tag('C', 'calendar-query', '')));
    const type = this.tag('D', 'collection', '') + this.tag('C', 'calendar', '');
    const token = asked.body.includes('sync-token') && sync && tokenInListing;
    return this.response(
      `/cal/${id}/`,
      [
        this.tag('D', 'resourcetype', type),
        this.tag('D', 'displayname', escaped(calendar.name)),
        this.tag('D', 'supported-report-set', sync ? report + other : other),
        ctag ? this.tag('S', 'getctag', `c${calendar.revision}`) : '',
        token ? this.tag('D', 'sync-token', `urn:t:${calendar.revision}`) : '',
      ].join(''),
    );
  }

  private members(asked: Asked, id: string, calendar: Calendar): Answer {
    const own = this.itself(id, calendar, asked);
    if (asked.headers.depth === '0') return this.multi([own]);
    if (!this.manners.propfindMembers) return { status: 405 };
    return this.multi([own, ...[...calendar.items.keys()].map((name) => this.member(id, name, calendar))]);
  }

  private sync(asked: Asked, id: string, calendar: Calendar): Answer {
    if (!this.manners.sync) return { status: 403, body: this.error('supported-report') };
    const token = />urn:t:(\d+)</.exec(asked.body)?.[1];
    const from = token === undefined ? 0 : Number(token);
    const empty = /sync-token>\s*<\//.test(asked.body) || /sync-token\/>/.test(asked.body);
    if (!empty && (token === undefined || from < calendar.forgottenBefore || from > calendar.revision))
      return { status: this.manners.staleStatus, body: this.error('valid-sync-token') };
    const news = [...calendar.changedAt]
      .filter(([name, at]) => at > from && (!empty || calendar.items.has(name)))
      .sort(([, a], [, b]) => a - b);
    const page = news.slice(0, this.manners.pageSize);
    const cut = page.length < news.length;
    const next = cut ? (page.at(-1)?.[1] ?? from) : calendar.revision;
    const responses = page.map(([name]) =>
      calendar.items.has(name) ? this.member(id, name, calendar) : this.status(`/cal/${id}/${name}`, 404),
    );
    if (cut) responses.push(this.status(`/cal/${id}/`, 507, 'number-of-matches-within-limits'));
    return this.multi(responses, `<${this.p}sync-token>urn:t:${next}</${this.p}sync-token>`);
  }

  private multiget(asked: Asked, id: string, calendar: Calendar): Answer {
    if (!this.manners.multiget) return { status: 501 };
    const hrefs = [...asked.body.matchAll(/<d:href>([^<]*)<\/d:href>/g)].map((found) => found[1] ?? '');
    return this.multi(
      hrefs.map((href) => {
        const name = /^\/cal\/[^/]+\/(.*)$/.exec(decodeURIComponent(href))?.[1] ?? '';
        const item = calendar.items.get(name) ?? calendar.items.get(encodeURIComponent(name));
        const known = calendar.items.has(name) ? name : encodeURIComponent(name);
        if (item === undefined) return this.status(`/cal/${id}/${known}`, 404);
        const data = this.tag('C', 'calendar-data', escaped(item.body));
        return this.response(this.href(id, known), this.tag('D', 'getetag', item.etag) + data);
      }),
    );
  }

  private resource(asked: Asked, calendar: Calendar, path: string): Answer {
    const name = calendar.items.has(path) ? path : decodeURIComponent(path);
    const item = calendar.items.get(name);
    if (item === undefined) return { status: 404 };
    if (asked.method === 'GET')
      return { status: 200, body: item.body, headers: { etag: item.etag, 'content-type': 'text/calendar' } };
    if (asked.method !== 'PUT') return { status: 405 };
    if (asked.headers['if-match'] !== item.etag) return { status: 412 };
    item.body = asked.body;
    item.etag = `"${++this.counter}"`;
    this.touch(calendar, name);
    return { status: 204, headers: { etag: item.etag } };
  }

  member(id: string, name: string, calendar: Calendar): string {
    const etag = this.tag('D', 'getetag', calendar.items.get(name)?.etag ?? '');
    return this.response(this.href(id, name), etag + this.tag('D', 'resourcetype', ''));
  }

  private href(id: string, name: string): string {
    const path = `/cal/${id}/${name}`;
    if (this.manners.hrefs === 'absolute') return `${this.url.slice(0, -1)}${path}`;
    if (this.manners.hrefs === 'relative') return `/cal/./x/../${id}/${name}`;
    // Each letter that may be is written as its byte.
    if (this.manners.hrefs === 'odd')
      return path.replace(/[a-e]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
    return path;
  }

  get p(): string {
    return this.manners.prefix;
  }
  tag(space: 'D' | 'C' | 'S', name: string, inner: string): string {
    const prefix = space === 'D' ? this.p : `${space.toLowerCase()}x:`;
    return `<${prefix}${name}>${inner}</${prefix}${name}>`;
  }
  response(href: string, props: string): string {
    const { p } = this;
    return `<${p}response><${p}href>${escaped(href)}</${p}href><${p}propstat><${p}prop>${props}</${p}prop><${p}status>HTTP/1.1 200 OK</${p}status></${p}propstat></${p}response>`;
  }
  status(href: string, status: number, error?: string): string {
    const { p } = this;
    const why = error === undefined ? '' : `<${p}error><${p}${error}/></${p}error>`;
    return `<${p}response><${p}href>${escaped(href)}</${p}href><${p}status>HTTP/1.1 ${status} No</${p}status>${why}</${p}response>`;
  }
  multi(responses: readonly string[], more = ''): Answer {
    return { status: 207, body: this.wrap('multistatus', responses.join('\n') + more) };
  }
  private error(name: string): string {
    return this.wrap('error', `<${this.p}${name}/>`);
  }
  wrap(root: string, inner: string): string {
    const own = this.p === '' ? 'xmlns' : `xmlns:${this.p.slice(0, -1)}`;
    return `<?xml version="1.0"?>\n<${this.p}${root} ${own}="DAV:" xmlns:cx="urn:ietf:params:xml:ns:caldav" xmlns:sx='http://calendarserver.org/ns/'>${inner}</${this.p}${root}>`;
  }
}

export function escaped(text: string): string {
  return text.replace(/[&<>\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}
