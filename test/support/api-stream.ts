/** A reader of server-sent events over a real connection, and small requests over TCP or a unix socket. */
import http from 'node:http';
import https from 'node:https';
import { vi } from 'vitest';

export interface SentEvent {
  readonly id: string | undefined;
  readonly event: string;

  readonly data: Record<string, unknown>;
}

export interface Stream {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly events: SentEvent[];
  readonly ended: () => boolean;
  /** The first event from `from` on of that name. */
  next(event: string, from?: number): Promise<SentEvent>;
  close(): void;
}

export function openStream(url: string, headers: Record<string, string>): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { headers, agent: false }, (response) => {
      const events: SentEvent[] = [];
      let ended = false;
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) {
          const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
          const data = field('data');
          if (data !== undefined)
            events.push({
              id: field('id'),
              event: field('event') ?? 'message',
              data: JSON.parse(data) as SentEvent['data'],
            });
        }
      });
      response.on('close', () => {
        ended = true;
      });
      response.on('error', () => {});
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        events,
        ended: () => ended,
        next: (event, from = 0) =>
          vi.waitFor(() => {
            const found = events.slice(from).find((sent) => sent.event === event);
            if (!found) throw new Error(`no ${event} among ${events.length} events`);
            return found;
          }),
        close: () => request.destroy(),
      });
    });
    request.once('error', reject);
  });
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export function send(options: https.RequestOptions & { tls?: boolean; body?: object }): Promise<Answer> {
  const { tls, body, ...rest } = options;
  return new Promise((resolve, reject) => {
    const text = body && JSON.stringify(body);
    const headers = {
      ...rest.headers,
      ...(text && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    };
    const request = (tls ? https : http).request({ agent: false, ...rest, headers }, (response) => {
      let received = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        received += chunk;
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: received }),
      );
    });
    request.once('error', reject);
    request.end(text);
  });
}
