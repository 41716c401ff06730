/**
 * Reads calendars off the main thread, so that no feed, however hostile, holds up a door: one worker thread with a limit
 * of memory, one request at a time with a limit of time. A worker that does not answer, or breaks its limit, is ended and
 * its request comes back as `too_costly`; the next request gets a new worker. An idle worker is ended as well.
 */
import { Worker } from 'node:worker_threads';
import type { Fault } from './expand.ts';
import { type FromWorker, PIECE_CHARS, SMALL_OBJECTS, type ToWorker } from './expander.messages.ts';
import type { CalendarObject, ExpandRequest, Expansion, Occurrence, SetAside } from './types.ts';

export interface ExpanderLimits {
  /** From the request's turn to its answer; a slow Pi reads 20,000 events in some seconds. */
  readonly requestMs: number;
  /** How long an idle worker is kept: a poll of several sources comes in one go. */
  readonly idleMs: number;
  /** Requests that wait for their turn. */
  readonly queued: number;
  /** Characters of all bodies of a request. */
  readonly maxChars: number;
  /** Heap of the worker. */
  readonly heapMb: number;
}

export const EXPANDER_LIMITS: ExpanderLimits = {
  requestMs: 30_000,
  idleMs: 60_000,
  queued: 100,
  maxChars: 33_554_432,
  heapMb: 150,
};

export interface ExpanderOptions {
  /** What went wrong, for the log: without any word of the calendar. */
  readonly log?: ((text: string) => void) | undefined;
  readonly limits?: Partial<ExpanderLimits> | undefined;
}

interface Job {
  readonly request: ExpandRequest;
  readonly signal: AbortSignal | undefined;
  readonly settle: (outcome: Expansion | Fault) => void;
  readonly reject: (reason: unknown) => void;
}

const TOO_COSTLY = 'Reading the calendar took';

export class Expander {
  readonly #limits: ExpanderLimits;
  readonly #log: (text: string) => void;
  readonly #queue: Job[] = [];
  #worker: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  /** Ends the request that runs. */
  #cut: ((outcome: Fault) => void) | undefined;
  #closed = false;

  constructor(options: ExpanderOptions = {}) {
    this.#limits = { ...EXPANDER_LIMITS, ...options.limits };
    this.#log = options.log ?? (() => {});
  }

  /**
   * Resolves with what the objects come to, or with the fault of the request as a whole.
   * Rejects with the signal's reason when it is aborted.
   */
  expand(request: ExpandRequest, signal?: AbortSignal): Promise<Expansion | Fault> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#closed) return Promise.resolve({ fault: 'busy', why: 'The gateway is stopping.' });
    const chars = request.objects.reduce((sum, { body }) => sum + body.length, 0);
    if (chars > this.#limits.maxChars) {
      const most = Math.round(this.#limits.maxChars / 1_048_576);
      return Promise.resolve({ fault: 'too_large', why: `The calendars of this source are over ${most} MB together.` });
    }
    if (this.#queue.length >= this.#limits.queued)
      return Promise.resolve({ fault: 'busy', why: 'Too many calendars wait to be read; the next poll tries again.' });
    return this.#enqueue(request, signal);
  }

  async #enqueue(request: ExpandRequest, signal: AbortSignal | undefined): Promise<Expansion | Fault> {
    const drop = () => this.#drop(signal);
    signal?.addEventListener('abort', drop, { once: true });
    try {
      return await new Promise((resolve, reject) => {
        this.#queue.push({ request, signal, settle: resolve, reject });
        this.#running ??= this.#run();
      });
    } finally {
      // The signal may live as long as the gateway.
      signal?.removeEventListener('abort', drop);
    }
  }

  /** Ends the worker. Requests that wait or run resolve as `busy`. */
  async close(): Promise<void> {
    this.#closed = true;
    const stopping: Fault = { fault: 'busy', why: 'The gateway is stopping.' };
    for (const job of this.#queue.splice(0)) job.settle(stopping);
    this.#cut?.(stopping);
    await this.#running;
    await this.#end();
  }

  /** Waiting requests whose signal was aborted leave the queue; the running one sees its signal itself. */
  #drop(signal: AbortSignal | undefined): void {
    for (let index = this.#queue.length - 1; index >= 0; index -= 1) {
      const job = this.#queue[index];
      if (job === undefined || job.signal !== signal) continue;
      this.#queue.splice(index, 1);
      job.reject(signal?.reason);
    }
  }

  async #run(): Promise<void> {
    clearTimeout(this.#idle);
    for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
      try {
        job.settle(await this.#one(job));
      } catch (error) {
        job.reject(error);
      }
    }
    this.#running = undefined;
    this.#idle = setTimeout(() => void this.#end(), this.#limits.idleMs).unref();
  }

  async #one(job: Job): Promise<Expansion | Fault> {
    const worker = this.#start();
    const exchange = new Exchange(worker, job);
    this.#cut = (outcome) => exchange.finish(outcome);
    const seconds = Math.round(this.#limits.requestMs / 1000);
    const limit = setTimeout(() => {
      exchange.finish({ fault: 'too_costly', why: `${TOO_COSTLY} over ${seconds} s and was given up.` });
    }, this.#limits.requestMs);
    try {
      return await exchange.outcome;
    } finally {
      clearTimeout(limit);
      this.#cut = undefined;
      // Whoever did not come to its end may be anywhere: only a new one is clean.
      if (!exchange.clean) await this.#end();
    }
  }

  #start(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const { heapMb } = this.#limits;
    const worker = new Worker(workerFile(), {
      name: 'calendars',
      execArgv: loaderOf(workerFile()),
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 },
    });
    worker.unref();
    // A worker that breaks down between requests is replaced at the next.
    worker.on('error', (error) => this.#log(`The calendars' worker broke down: ${error.message}`));
    worker.on('exit', () => {
      if (this.#worker === worker) this.#worker = undefined;
    });
    this.#worker = worker;
    return worker;
  }

  async #end(): Promise<void> {
    clearTimeout(this.#idle);
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }
}

/** One request and its answer, in pieces both ways, so that neither holds up the main thread. */
class Exchange {
  readonly outcome: Promise<Expansion | Fault>;
  /** The worker said its last word and can take the next request. */
  clean = false;
  readonly #worker: Worker;
  readonly #job: Job;
  readonly #occurrences: Occurrence[] = [];
  readonly #setAside: SetAside[] = [];
  #resolve: (outcome: Expansion | Fault) => void = () => {};
  #reject: (reason: unknown) => void = () => {};
  #over = false;

  constructor(worker: Worker, job: Job) {
    this.#worker = worker;
    this.#job = job;
    this.outcome = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    worker.ref();
    worker.on('message', this.#onMessage);
    worker.once('error', this.#onError);
    worker.once('exit', this.#onExit);
    job.signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (job.signal?.aborted) this.#onAbort();
    void this.#send();
  }

  finish(outcome: Expansion | Fault): void {
    if (this.#leave()) this.#resolve(outcome);
  }

  /** False when it was left already. */
  #leave(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#worker.off('message', this.#onMessage);
    this.#worker.off('error', this.#onError);
    this.#worker.off('exit', this.#onExit);
    this.#worker.unref();
    this.#job.signal?.removeEventListener('abort', this.#onAbort);
    return true;
  }

  readonly #onAbort = (): void => {
    if (this.#leave()) this.#reject(this.#job.signal?.reason);
  };

  readonly #onError = (error: Error & { code?: string }): void => {
    if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
      this.finish({ fault: 'too_costly', why: `${TOO_COSTLY} more memory than it may and was given up.` });
    else if (this.#leave()) this.#reject(error);
  };

  readonly #onExit = (): void => {
    this.finish({ fault: 'too_costly', why: `${TOO_COSTLY} its worker down and was given up.` });
  };

  readonly #onMessage = (message: FromWorker): void => {
    if (message.type === 'occurrences') {
      for (const occurrence of message.occurrences) this.#occurrences.push(occurrence);
      setImmediate(() => this.#say({ type: 'next' }));
    } else if (message.type === 'setAside' && !message.last) {
      for (const entry of message.setAside) this.#setAside.push(entry);
      setImmediate(() => this.#say({ type: 'next' }));
    } else {
      this.clean = true;
      this.finish(message.type === 'fault' ? { fault: message.fault, why: message.why } : this.#whole(message));
    }
  };

  #whole(last: Extract<FromWorker, { type: 'setAside' }>): Expansion {
    const setAside = [...this.#setAside, ...last.setAside];
    return { occurrences: this.#occurrences, setAside, events: last.events };
  }

  #say(message: ToWorker): void {
    if (!this.#over) this.#worker.postMessage(message);
  }

  async #send(): Promise<void> {
    const { objects, siteZone, fromMs, toMs } = this.#job.request;
    this.#say({ type: 'begin', asked: { siteZone, fromMs, toMs } });
    let small: CalendarObject[] = [];
    let chars = 0;
    const flush = () => {
      if (small.length > 0) this.#say({ type: 'small', objects: small });
      [small, chars] = [[], 0];
    };
    for (const object of objects) {
      if (object.body.length >= PIECE_CHARS) {
        flush();
        await this.#sendLarge(object);
        continue;
      }
      small.push(object);
      chars += object.body.length;
      if (chars < PIECE_CHARS && small.length < SMALL_OBJECTS) continue;
      flush();
      await turn();
    }
    flush();
    this.#say({ type: 'run' });
  }

  async #sendLarge({ body, ...object }: CalendarObject): Promise<void> {
    for (let from = 0; from < body.length; from += PIECE_CHARS) {
      this.#say({ type: 'piece', text: body.slice(from, from + PIECE_CHARS) });
      await turn();
    }
    this.#say({ type: 'object', object });
  }
}

/** Lets the main thread do its other work. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function workerFile(): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./expander.worker.${extension}`, import.meta.url);
}

/**
 * Sources run as they are from Node 22.18 on; before, the tests bring a loader that compiles each file as it is asked for,
 * so that nothing stale is ever run. The product is built and needs neither.
 */
function loaderOf(file: URL): string[] {
  const native = (process.features as { typescript?: unknown }).typescript;
  if (!file.pathname.endsWith('.ts') || (native !== undefined && native !== false)) return [];
  return ['--import', new URL('../../test/support/calendars-ical-loader.mjs', import.meta.url).href];
}
