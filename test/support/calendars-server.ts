/**
 * A calendar server on 127.0.0.1 that serves what it is told and fails in every way that calendar servers do.
 *
 *     const server = await CalendarServer.start();          // { tls: true } for https, trust it by `ca: server.ca`
 *     server.serve('/room.ics', { body: ics, etag: '"1"' });
 *     server.fail('/room.ics', 'truncated-length');         // every request from now on …
 *     server.fail('/room.ics', { status: 503 }, { times: 2 }); // … or only the next two
 *     server.heal('/room.ics');
 *     server.requestsTo('/room.ics');                       // what was asked, with headers and body
 *     await server.close();
 */
import { createServer as createHttp, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createPlain, type Socket } from 'node:net';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { doFail, type FailMode } from './calendars-server-modes.ts';
import { type Certificate, makeCertificate } from './calendars-server-tls.ts';

export { EMPTY_CALENDAR, type FailMode, SIMPLE_MODES, type SimpleMode } from './calendars-server-modes.ts';
export { type Certificate, makeCertificate } from './calendars-server-tls.ts';

export interface Content {
  readonly body?: string | Buffer | undefined;
  /** 200 unless given. */
  readonly status?: number | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** `text/calendar; charset=utf-8` unless given; '' for none. */
  readonly type?: string | undefined;
  /** With quotes, `W/` for weak ones; If-None-Match is obeyed. */
  readonly etag?: string | undefined;
  /** An HTTP date; If-Modified-Since is obeyed. */
  readonly lastModified?: string | undefined;
  readonly coding?: 'gzip' | 'deflate' | 'raw-deflate' | 'br' | undefined;
  /** 401 unless the request has it. */
  readonly auth?: { readonly user: string; readonly password: string } | { readonly bearer: string } | undefined;
}
export interface LoggedRequest {
  readonly method: string;
  /** Path without query. */
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}
/** For servers with a mind of their own (webhook APIs, FHIR, CalDAV): answers by `response`. */
export type Handler = (request: LoggedRequest, response: ServerResponse) => void;

interface Failing {
  readonly mode: FailMode;
  left: number;
}
export interface StartOptions {
  readonly tls?: boolean | Certificate | undefined;
  /** Pause between the bytes of `slow-drip`; 20 ms unless given. */
  readonly dripMs?: number | undefined;
}

const SAMPLE = `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Doorward//test//EN\r\n${[1, 2, 3]
  .map(
    (n) =>
      `BEGIN:VEVENT\r\nUID:sample-${n}\r\nDTSTAMP:20300101T000000Z\r\nDTSTART:2030010${n}T090000Z\r\nDTEND:2030010${n}T100000Z\r\nSUMMARY:Sample ${n}\r\nEND:VEVENT\r\n`,
  )
  .join('')}END:VCALENDAR\r\n`;

export class CalendarServer {
  readonly requests: LoggedRequest[] = [];
  readonly ca: string | undefined;
  readonly #server: Server;
  readonly #scheme: 'http' | 'https';
  readonly #dripMs: number;
  readonly #sockets = new Set<Socket>();
  readonly #contents = new Map<string, Content | Handler>();
  readonly #failing = new Map<string, Failing>();
  #port = 0;
  /** Connections since the start. */
  connections = 0;
  /** The most that were open at one time. */
  mostOpen = 0;

  static async start(options: StartOptions = {}): Promise<CalendarServer> {
    const server = new CalendarServer(options);
    await server.up();
    return server;
  }

  private constructor(options: StartOptions) {
    const certificate = options.tls === true ? makeCertificate() : options.tls === false ? undefined : options.tls;
    const onRequest = (request: IncomingMessage, response: ServerResponse): void => this.#take(request, response);
    this.#server = certificate === undefined ? createHttp(onRequest) : createHttps({ ...certificate }, onRequest);
    this.#scheme = certificate === undefined ? 'http' : 'https';
    this.ca = certificate?.cert;
    this.#dripMs = options.dripMs ?? 20;
    // For https too this is the connection below TLS.
    this.#server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      this.mostOpen = Math.max(this.mostOpen, this.#sockets.size);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
    // A client that trusts nobody breaks off the handshake.
    this.#server.on('tlsClientError', () => {});
  }

  get origin(): string {
    return `${this.#scheme}://127.0.0.1:${this.#port}`;
  }
  get port(): number {
    return this.#port;
  }
  get openSockets(): number {
    return this.#sockets.size;
  }

  url(path = '/'): string {
    return `${this.origin}${path}`;
  }

  /** An address at which nobody listens. */
  static async closedUrl(path = '/', scheme: 'http' | 'https' = 'http'): Promise<string> {
    const server = createPlain();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return `${scheme}://127.0.0.1:${port}${path}`;
  }

  /** What a path answers from now on. */
  serve(path: string, content: Content | Handler): void {
    this.#contents.set(path, content);
  }

  /** How a path fails from now on, or for the next `times` requests. */
  fail(path: string, mode: FailMode, options: { readonly times?: number } = {}): void {
    this.#failing.set(path, { mode, left: options.times ?? Number.POSITIVE_INFINITY });
  }

  heal(path: string): void {
    this.#failing.delete(path);
  }

  requestsTo(path: string): LoggedRequest[] {
    return this.requests.filter((request) => request.path === path);
  }

  /** Nobody listens any more, every connection is cut; `up` listens at the same port again. */
  async down(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async up(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.down();
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => {});
    response.on('error', () => {});
    request.on('end', () => {
      const url = new URL(request.url ?? '/', this.origin);
      const logged: LoggedRequest = {
        method: request.method ?? '',
        path: url.pathname,
        query: url.search,
        headers: request.headers,
        body: Buffer.concat(chunks),
      };
      this.requests.push(logged);
      this.#answer(logged, request, response);
    });
  }

  #answer(logged: LoggedRequest, request: IncomingMessage, response: ServerResponse): void {
    const content = this.#contents.get(logged.path);
    const answer = (): void => {
      if (content === undefined) response.writeHead(404, { 'content-type': 'text/plain' }).end('nothing here');
      else if (typeof content === 'function') content(logged, response);
      else serveContent(content, logged, response);
    };
    const failing = this.#failing.get(logged.path);
    if (failing === undefined || failing.left <= 0) {
      answer();
      return;
    }
    failing.left -= 1;
    const served = typeof content === 'object' ? content.body : undefined;
    const body = Buffer.from(served ?? SAMPLE);
    const wire = [...this.#sockets].find((socket) => socket.remotePort === request.socket.remotePort);
    if (wire === undefined) return;
    doFail(failing.mode, {
      wire,
      request,
      response,
      body,
      path: logged.path,
      origin: this.origin,
      dripMs: this.#dripMs,
      answer,
    });
  }
}

function serveContent(content: Content, request: LoggedRequest, response: ServerResponse): void {
  if (content.auth !== undefined && !isLetIn(content.auth, String(request.headers.authorization))) {
    response
      .writeHead(401, { 'www-authenticate': 'bearer' in content.auth ? 'Bearer' : 'Basic realm="calendars"' })
      .end();
    return;
  }
  const headers: Record<string, string> = { ...content.headers };
  if (content.etag !== undefined) headers.etag = content.etag;
  if (content.lastModified !== undefined) headers['last-modified'] = content.lastModified;
  if (isUnchanged(content, request)) {
    response.writeHead(304, headers).end();
    return;
  }
  const type = content.type ?? 'text/calendar; charset=utf-8';
  if (type !== '') headers['content-type'] = type;
  if (content.coding !== undefined)
    headers['content-encoding'] = content.coding === 'raw-deflate' ? 'deflate' : content.coding;
  response.writeHead(content.status ?? 200, headers).end(packed(Buffer.from(content.body ?? ''), content.coding));
}

function isLetIn(auth: NonNullable<Content['auth']>, given: string | undefined): boolean {
  if ('bearer' in auth) return given === `Bearer ${auth.bearer}`;
  return given === `Basic ${Buffer.from(`${auth.user}:${auth.password}`).toString('base64')}`;
}

/** RFC 9110 §13.2.2: the date counts only without a tag. */
function isUnchanged(content: Content, request: LoggedRequest): boolean {
  const tag = request.headers['if-none-match'];
  const weak = (etag: string): string => etag.trim().replace(/^W\//, '');
  if (typeof tag === 'string')
    return content.etag !== undefined && tag.split(',').some((one) => weak(one) === weak(content.etag ?? ''));
  const since = request.headers['if-modified-since'];
  return (
    typeof since === 'string' &&
    content.lastModified !== undefined &&
    Date.parse(since) >= Date.parse(content.lastModified)
  );
}

function packed(body: Buffer, coding: Content['coding']): Buffer {
  if (coding === 'gzip') return gzipSync(body);
  if (coding === 'deflate') return deflateSync(body);
  if (coding === 'raw-deflate') return deflateRawSync(body);
  return coding === 'br' ? brotliCompressSync(body) : body;
}
