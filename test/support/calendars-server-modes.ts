/** The ways in which a calendar server fails, each done to one request on a real socket. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { createGzip, gzipSync } from 'node:zlib';

/** One word each. `refuse` is not of a path: see `CalendarServer.down` and `closedUrl`. */
export const SIMPLE_MODES = [
  'close', // ends the connection without an answer
  'reset', // resets it without an answer
  'reset-mid-body', // Content-Length is right, half of it arrives, then a reset
  'truncated-length', // Content-Length of the whole, half of it arrives, then a proper end
  'truncated-chunked', // chunks without the last one
  'truncated-plain', // no length at all, ends in the middle: HTTP cannot tell, only the calendar can
  'truncated-short', // a Content-Length that fits the half that is sent
  'length-too-small', // Content-Length smaller than what is sent
  'slow-headers', // takes the request and says nothing
  'slow-drip', // a byte now and then, for ever
  'stall', // half of the body, then silence
  'endless', // a calendar without end
  'html-login', // 200 with a page to sign in
  'html-as-calendar', // the same page, called text/calendar
  'empty-body',
  'empty-calendar', // a calendar without events
  'no-content', // 204
  'partial', // 206 with half of it
  'wrong-type', // the calendar as application/octet-stream
  'json', // an error in JSON with status 200
  'gzip-bomb',
  'bad-gzip',
  'truncated-gzip',
  'unknown-coding',
  'wrong-charset', // windows-1252 bytes, called UTF-8
  'big-headers',
  'endless-headers',
  'not-http',
  'redirect-loop',
  'redirect-private', // to the metadata address of clouds
  'redirect-http', // to plain http
  'redirect-file', // to file:///etc/passwd
  'redirect-nowhere', // without Location
] as const;
export type SimpleMode = (typeof SIMPLE_MODES)[number];

export type FailMode =
  | SimpleMode
  /** Any status; `retryAfter` is the header as it stands. */
  | {
      readonly status: number;
      readonly retryAfter?: string;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** One redirect. */
  | { readonly redirect: number; readonly to: string }
  /** So many redirects (path?hop=1, 2 …), then what is served at the path. */
  | { readonly chain: number; readonly status?: number };

/** What the modes need to know. */
export interface FailContext {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The connection below TLS. */
  readonly wire: Socket;
  /** What is served at the path, or a calendar with a few events. */
  readonly body: Buffer;
  readonly path: string;
  readonly origin: string;
  /** Pause between the bytes of a drip. */
  readonly dripMs: number;
  /** Answers as if nothing were wrong. */
  readonly answer: () => void;
}

const LOGIN =
  '<!DOCTYPE html><html><head><title>Sign in</title></head><body><form action="/login"></form></body></html>';
export const EMPTY_CALENDAR = 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Doorward//test//EN\r\nEND:VCALENDAR\r\n';
const CALENDAR = { 'content-type': 'text/calendar; charset=utf-8' };
/** Unpacked size of the bomb: far over any limit of a test, some hundred kilobytes on the wire. */
const BOMB_BYTES = 200 * 1024 * 1024;

export function doFail(mode: FailMode, context: FailContext): void {
  if (typeof mode === 'string') MODES[mode](context);
  else if ('status' in mode && !('chain' in mode)) answerStatus(mode, context);
  else if ('redirect' in mode) context.response.writeHead(mode.redirect, { location: mode.to }).end();
  else answerChain(mode, context);
}

function answerStatus(
  mode: Extract<FailMode, { status: number; retryAfter?: string }>,
  { response }: FailContext,
): void {
  const retry = mode.retryAfter === undefined ? {} : { 'retry-after': mode.retryAfter };
  const body = mode.body ?? (mode.status >= 400 ? `<html>error ${mode.status}</html>` : '');
  response.writeHead(mode.status, { 'content-type': 'text/html', ...retry, ...mode.headers }).end(body);
}

function answerChain(mode: { chain: number; status?: number }, context: FailContext): void {
  const hop = Number(new URL(context.request.url ?? '/', context.origin).searchParams.get('hop') ?? '0');
  if (hop >= mode.chain) context.answer();
  else context.response.writeHead(mode.status ?? 302, { location: `${context.path}?hop=${hop + 1}` }).end();
}

const MODES: Readonly<Record<SimpleMode, (context: FailContext) => void>> = {
  close: ({ request }) => request.socket.end(),
  reset: ({ wire }) => wire.resetAndDestroy(),
  'reset-mid-body': (context) => {
    half(context, { 'content-length': String(context.body.length) }, () => context.wire.resetAndDestroy());
  },
  'truncated-length': (context) => {
    half(context, { 'content-length': String(context.body.length) }, () => context.request.socket.end());
  },
  'truncated-chunked': (context) => {
    half(context, { 'transfer-encoding': 'chunked', connection: 'close' }, () => context.request.socket.end());
  },
  'truncated-plain': ({ request, body }) => {
    request.socket.write('HTTP/1.1 200 OK\r\nContent-Type: text/calendar\r\nConnection: close\r\n\r\n');
    request.socket.end(firstHalf(body));
  },
  'truncated-short': ({ response, body }) => {
    response.writeHead(200, { ...CALENDAR, 'content-length': String(firstHalf(body).length) }).end(firstHalf(body));
  },
  'length-too-small': ({ request, body }) => {
    const head = `HTTP/1.1 200 OK\r\nContent-Type: text/calendar\r\nContent-Length: ${firstHalf(body).length}\r\n\r\n`;
    request.socket.end(Buffer.concat([Buffer.from(head), body]));
  },
  'slow-headers': () => {},
  'slow-drip': ({ response, body, dripMs }) => {
    response.writeHead(200, CALENDAR);
    let at = 0;
    const drip = setInterval(() => {
      response.write(body.subarray(at % body.length, (at % body.length) + 1));
      at += 1;
    }, dripMs);
    response.on('close', () => clearInterval(drip));
  },
  stall: (context) => half(context, { 'content-length': String(context.body.length) }, () => {}),
  endless: ({ response }) => {
    response.writeHead(200, CALENDAR);
    response.write('BEGIN:VCALENDAR\r\nVERSION:2.0\r\n');
    const event = Buffer.from('BEGIN:VEVENT\r\nUID:again\r\nDTSTART:20300101T000000Z\r\nEND:VEVENT\r\n'.repeat(1000));
    const more = (): void => {
      while (!response.destroyed && response.write(event));
    };
    response.on('drain', more);
    more();
  },
  'html-login': ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(LOGIN);
  },
  'html-as-calendar': ({ response }) => {
    response.writeHead(200, CALENDAR).end(LOGIN);
  },
  'empty-body': ({ response }) => {
    response.writeHead(200, CALENDAR).end();
  },
  'empty-calendar': ({ response }) => {
    response.writeHead(200, CALENDAR).end(EMPTY_CALENDAR);
  },
  'no-content': ({ response }) => {
    response.writeHead(204).end();
  },
  partial: ({ response, body }) => {
    const part = firstHalf(body);
    response.writeHead(206, { ...CALENDAR, 'content-range': `bytes 0-${part.length - 1}/${body.length}` }).end(part);
  },
  'wrong-type': ({ response, body }) => {
    response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(body);
  },
  json: ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"error":"quota"}');
  },
  'gzip-bomb': ({ response }) => {
    response.writeHead(200, { ...CALENDAR, 'content-encoding': 'gzip' });
    const gzip = createGzip({ level: 1 });
    gzip.pipe(response);
    response.on('close', () => gzip.destroy());
    fill(gzip);
  },
  'bad-gzip': ({ response, body }) => {
    response.writeHead(200, { ...CALENDAR, 'content-encoding': 'gzip' }).end(body);
  },
  'truncated-gzip': ({ response, body }) => {
    response.writeHead(200, { ...CALENDAR, 'content-encoding': 'gzip' }).end(firstHalf(gzipSync(body)));
  },
  'unknown-coding': ({ response, body }) => {
    response.writeHead(200, { ...CALENDAR, 'content-encoding': 'zstd-x' }).end(body);
  },
  'wrong-charset': ({ response, body }) => {
    const text = body.toString('utf8').replace('END:VCALENDAR', 'X-NOTE:Gr\u00fc\u00dfe\r\nEND:VCALENDAR');
    response.writeHead(200, CALENDAR).end(Buffer.from(text, 'latin1'));
  },
  'big-headers': ({ response, body }) => {
    response.writeHead(200, { ...CALENDAR, 'x-big': 'a'.repeat(1024 * 1024) }).end(body);
  },
  'endless-headers': ({ request }) => {
    const { socket } = request;
    socket.write('HTTP/1.1 200 OK\r\n');
    const more = (): void => {
      while (!socket.destroyed && socket.write(`X-More: ${'a'.repeat(1000)}\r\n`));
    };
    socket.on('drain', more);
    more();
  },
  'not-http': ({ request }) => request.socket.end('220 mail.example ESMTP\r\n'),
  'redirect-loop': ({ response, path }) => {
    response.writeHead(302, { location: path }).end();
  },
  'redirect-private': ({ response }) => {
    response.writeHead(302, { location: 'https://169.254.169.254/latest/meta-data/' }).end();
  },
  'redirect-http': ({ response, origin, path }) => {
    response.writeHead(302, { location: `${origin.replace(/^https:/, 'http:')}${path}` }).end();
  },
  'redirect-file': ({ response }) => {
    response.writeHead(302, { location: 'file:///etc/passwd' }).end();
  },
  'redirect-nowhere': ({ response }) => {
    response.writeHead(302).end();
  },
};

function half(context: FailContext, headers: Record<string, string>, then: () => void): void {
  context.response.writeHead(200, { ...CALENDAR, ...headers });
  context.response.write(firstHalf(context.body), then);
}

function firstHalf(body: Buffer): Buffer {
  return body.subarray(0, Math.floor(body.length / 2));
}

/** Feeds zeros as fast as they are taken. */
function fill(gzip: ReturnType<typeof createGzip> & Readable): void {
  const zeros = Buffer.alloc(1024 * 1024, 0x20);
  let left = BOMB_BYTES / zeros.length;
  const more = (): void => {
    while (left > 0 && !gzip.destroyed) {
      left -= 1;
      if (!gzip.write(zeros)) return;
    }
    if (!gzip.destroyed) gzip.end();
  };
  gzip.on('drain', more);
  gzip.on('error', () => {});
  more();
}
