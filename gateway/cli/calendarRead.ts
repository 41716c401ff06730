/** Where `doorward calendar explain` has its calendar from: a file, an address, standard input, or a source of the configuration. */
import { createReadStream, statSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { checkIcs } from '../calendars/check.ts';
import type { IcsSettings } from '../calendars/settings.ts';
import { icsSource } from '../calendars/sources/ics.ts';
import type { CalendarObject, CalendarSource, FeedFault } from '../calendars/types.ts';
import type { Io } from './io.ts';

/** Of a file or standard input. */
const MAX_BYTES = 33_554_432;
/** Between two lines of progress. */
const SAY_EVERY_MS = 500;
/** Between two looks at a file while watching. */
export const FILE_EVERY_MS = 1_000;

export type Read =
  | { readonly kind: 'read'; readonly objects: readonly CalendarObject[]; readonly bytes: number }
  /** As at the last look. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'failed'; readonly code: FeedFault; readonly why: string };

/** Looks once; the next look may say `unchanged`. */
export interface Reader {
  /** What is read, without credentials. */
  readonly name: string;
  readonly everyMs: number;
  look(signal: AbortSignal): Promise<Read>;
}

export type Progress = (text: string) => void;

export function fileReader(file: string, progress: Progress): Reader {
  let seen: string | undefined;
  return {
    name: file,
    everyMs: FILE_EVERY_MS,
    async look(signal) {
      const stat = statSync(file, { throwIfNoEntry: false });
      if (stat === undefined) return { kind: 'failed', code: 'not_found', why: `There is no file ${file}.` };
      if (!stat.isFile()) return { kind: 'failed', code: 'wrong_type', why: `${file} is no file.` };
      const version = `${stat.mtimeMs} ${stat.size} ${stat.ino}`;
      if (version === seen) return { kind: 'unchanged' };
      seen = version;
      return collect(createReadStream(file, { signal }), file, progress);
    },
  };
}

export function streamReader(stream: Readable, progress: Progress): Reader {
  return {
    name: 'standard input',
    everyMs: FILE_EVERY_MS,
    look: () => collect(stream, 'standard input', progress),
  };
}

async function collect(stream: Readable, name: string, progress: Progress): Promise<Read> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  let saidAt = performance.now();
  try {
    for await (const piece of stream) {
      const buffer = Buffer.isBuffer(piece) ? piece : Buffer.from(String(piece));
      pieces.push(buffer);
      bytes += buffer.length;
      if (bytes > MAX_BYTES)
        return { kind: 'failed', code: 'too_large', why: `${name} is over ${MAX_BYTES / 1_048_576} MB.` };
      if (performance.now() - saidAt < SAY_EVERY_MS) continue;
      saidAt = performance.now();
      progress(`${name}: ${size(bytes)} read …`);
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', code: 'unreachable', why: `${name} cannot be read: ${why}.` };
  }
  const checked = checkIcs(Buffer.concat(pieces));
  if (!checked.ok) return { kind: 'failed', code: checked.code, why: `${name}: ${checked.why}` };
  const object: CalendarObject = { href: name, collection: '', etag: '', type: 'ics', body: checked.text };
  return { kind: 'read', objects: [object], bytes };
}

export function urlReader(settings: IcsSettings, progress: Progress): Reader {
  return sourceReader(icsSource(settings), settings.everyMs, settings.id, progress);
}

/** Any source that is polled. A delta is put together with what was known before. */
export function sourceReader(source: CalendarSource, everyMs: number, name: string, progress: Progress): Reader {
  let cursor: string | undefined;
  const known = new Map<string, CalendarObject>();
  return {
    name,
    everyMs,
    async look(signal) {
      const began = performance.now();
      const waiting = setInterval(() => {
        progress(`${name}: fetching for ${Math.round((performance.now() - began) / 1000)} s …`);
      }, SAY_EVERY_MS * 2);
      try {
        const polled = await source.poll(cursor, signal);
        if (polled.kind === 'failed' || polled.kind === 'unchanged') return polled;
        cursor = polled.cursor;
        if (polled.kind === 'snapshot') known.clear();
        const changed = polled.kind === 'snapshot' ? polled.objects : polled.changed;
        for (const object of changed) known.set(object.href, object);
        if (polled.kind === 'delta') for (const href of polled.removed) known.delete(href);
        const objects = [...known.values()];
        return { kind: 'read', objects, bytes: objects.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0) };
      } finally {
        clearInterval(waiting);
      }
    },
  };
}

/** Progress goes to standard error, and only when somebody asked to watch. */
export function progressTo(io: Io, watch: boolean): Progress {
  return watch ? (text) => io.err(`… ${text}\n`) : () => {};
}

export function size(bytes: number): string {
  if (bytes < 10_240) return `${bytes} bytes`;
  return bytes < 1_048_576 ? `${Math.round(bytes / 1024)} kB` : `${(bytes / 1_048_576).toFixed(1)} MB`;
}
