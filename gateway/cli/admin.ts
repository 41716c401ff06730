/**
 * Administration over the socket of the data folder. A running gateway serves it, so that a revocation bites at once;
 * when none runs, this process serves the same API on the same socket for as long as the command takes, under the
 * folder's lock.
 */
import http from 'node:http';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { Fault } from '../core/errors.ts';
import { Refused } from './io.ts';

const API = '/api/v1';
/** A gateway that is just starting holds the folder and has no socket yet. */
const WAIT_FOR_SOCKET_MS = 5_000;
const TRY_AGAIN_MS = 200;
/** An unlock waits for its lock; nothing else takes longer. */
const REQUEST_TIMEOUT_MS = 60_000;

export interface Admin {
  /** The answer's JSON; undefined when it has no body. @throws Refused when the gateway refuses. */
  request(method: string, apiPath: string, body?: unknown): Promise<unknown>;
  /** Hands on the answer's text piece by piece, as it comes. */
  stream(apiPath: string, accept: string, piece: (text: string) => void): Promise<void>;
}

/** Runs `work` against the gateway of a data folder, or against the folder itself. */
export async function withAdmin<T>(dataDir: string, work: (admin: Admin) => Promise<T>): Promise<T> {
  const socket = path.join(dataDir, 'doorward.sock');
  const admin = over(socket);
  const deadlineMs = Date.now() + WAIT_FOR_SOCKET_MS;
  for (;;) {
    if (await answers(socket)) return await work(admin);
    try {
      return await offline(dataDir, () => work(admin));
    } catch (error) {
      const locked = error instanceof Fault && error.code === 'data_locked';
      if (!locked || Date.now() >= deadlineMs) throw error;
      await pause(TRY_AGAIN_MS);
    }
  }
}

async function offline<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  // Loaded only here: with a running gateway the command needs no database.
  const { serveOffline } = await import('../main.ts');
  const served = await serveOffline(dataDir, pino({ level: 'silent' }));
  try {
    return await work();
  } finally {
    await served.close();
  }
}

/** Whether somebody listens on the socket; a file that was left behind does not count. */
export function answers(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get({ socketPath, path: '/health/live' }, (response) => {
      response.resume();
      resolve(true);
    });
    request.on('error', () => resolve(false));
  });
}

function over(socketPath: string): Admin {
  return {
    async request(method, apiPath, body) {
      let text = '';
      const status = await send(socketPath, method, apiPath, 'application/json', body, (piece) => {
        text += piece;
      });
      if (status >= 400) throw refusal(status, text);
      return text === '' ? undefined : (JSON.parse(text) as unknown);
    },
    async stream(apiPath, accept, piece) {
      let refused = '';
      const status = await send(socketPath, 'GET', apiPath, accept, undefined, (text, code) => {
        if (code >= 400) refused += text;
        else piece(text);
      });
      if (status >= 400) throw refusal(status, refused);
    },
  };
}

function send(
  socketPath: string,
  method: string,
  apiPath: string,
  accept: string,
  body: unknown,
  piece: (text: string, status: number) => void,
): Promise<number> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const headers: http.OutgoingHttpHeaders = { accept, host: 'localhost' };
  if (payload !== undefined) {
    headers['content-type'] = 'application/json';
    headers['content-length'] = Buffer.byteLength(payload);
  }
  return new Promise((resolve, reject) => {
    const options = { socketPath, method, path: `${API}${apiPath}`, headers, timeout: REQUEST_TIMEOUT_MS };
    const request = http.request(options, (response) => {
      const status = response.statusCode ?? 0;
      response.setEncoding('utf8');
      response.on('data', (text: string) => piece(text, status));
      response.on('end', () => resolve(status));
      response.on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('the gateway did not answer in time')));
    request.on('error', reject);
    request.end(payload);
  });
}

interface Problem {
  readonly code?: string;
  readonly title?: string;
  readonly detail?: string;
  readonly remedy?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
  readonly clash?: Clash;
  /** Of a series: every time that is taken. */
  readonly clashes?: readonly { readonly start: string; readonly clash: Clash }[];
}
interface Clash {
  readonly id: string;
  readonly holder: string;
  readonly start: string;
  readonly end: string;
}

/** What the API advises is meant for programs; people at a command line are told in other words. */
const REMEDIES: Readonly<Record<string, string>> = {
  invalid: 'Mend it and try again.',
  conflict: 'Change what is there, or choose another.',
  booking_overlap: 'Choose another time or room, or move that booking.',
  not_found: 'See what there is with the command’s `list`.',
};

function refusal(status: number, text: string): Refused {
  let problem: Problem = {};
  try {
    problem = JSON.parse(text) as Problem;
  } catch {
    // Not of our API: the status has to do.
  }
  const { code = 'internal', title = `The gateway answered with ${status}`, detail = '', errors } = problem;
  const faults = errors?.map(({ path, message }) => `${path.replace(/^body\./, '')}: ${message}`).join('; ');
  const clashes = problem.clashes?.map(({ clash }) => clash) ?? (problem.clash ? [problem.clash] : []);
  const inTheWay = clashes.map(({ id, holder, start, end }) => ` In the way: ${id} of ${holder}, ${start} to ${end}.`);
  return new Refused(code, title, `${faults ?? detail}${inTheWay.join('')}`, REMEDIES[code] ?? problem.remedy ?? '');
}

/** The zone that times are shown in. */
export async function siteZone(admin: Admin): Promise<string> {
  const site = (await admin.request('GET', '/site')) as { timeZone?: string } | undefined;
  return site?.timeZone ?? 'UTC';
}
