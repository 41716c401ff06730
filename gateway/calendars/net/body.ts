/** Reads the body of an answer as it streams in: unpacked, counted, never more than is allowed. */
import type { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';

/** More arrived, packed or unpacked, than this request may take. */
export class BodyTooLarge extends Error {
  constructor() {
    super('body too large');
    this.name = 'BodyTooLarge';
  }
}

/** A content coding that was never offered. */
export class UnknownCoding extends Error {
  constructor() {
    super('unknown coding');
    this.name = 'UnknownCoding';
  }
}

/** What the client offers to unpack. */
export const ACCEPT_ENCODING = 'gzip, deflate, br';
/** Output of the unpacking at a time. */
const UNPACK_CHUNK_BYTES = 64 * 1024;

export interface BodyOptions {
  /** Content-Encoding; '' for none. */
  readonly coding: string;
  /** Content-Length, where there is one. */
  readonly length: number | undefined;
  /** Of the packed bytes and of the unpacked ones. */
  readonly maxBytes: number;
  /** Called for whatever arrives. */
  readonly progress: () => void;
}

/** @throws BodyTooLarge, UnknownCoding, errors of zlib and of the socket; the stream is destroyed then. */
export async function readBody(stream: Readable, options: BodyOptions): Promise<Buffer> {
  const coding = options.coding.trim().toLowerCase();
  if (coding === '' || coding === 'identity') {
    if (options.length !== undefined && options.length > options.maxBytes) return refuse(stream, new BodyTooLarge());
    const gathered = new Gathered(options.maxBytes, options.length);
    for await (const chunk of counted(stream, options)) gathered.add(chunk);
    return gathered.bytes();
  }
  if (!/^(x-)?gzip$|^deflate$|^br$/.test(coding)) return refuse(stream, new UnknownCoding());
  const packed = counted(stream, options)[Symbol.asyncIterator]();
  const first = await packed.next();
  // RFC 9110 §15.4.5: an answer without content may still name a coding.
  if (first.done === true) return Buffer.alloc(0);
  const gathered = new Gathered(options.maxBytes, undefined);
  await pipeline(
    async function* () {
      yield first.value;
      yield* { [Symbol.asyncIterator]: () => packed };
    },
    unpacker(coding, first.value),
    async (unpacked: AsyncIterable<Buffer>) => {
      for await (const chunk of unpacked) gathered.add(chunk);
    },
  ).finally(() => stream.destroy());
  return gathered.bytes();
}

function refuse(stream: Readable, error: Error): never {
  stream.on('error', () => {});
  stream.destroy();
  throw error;
}

/** Empty blocks unpack to nothing, without end: so the packed bytes are counted too. */
async function* counted(stream: Readable, options: BodyOptions): AsyncGenerator<Buffer, void, undefined> {
  let seen = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    options.progress();
    seen += chunk.length;
    if (seen > options.maxBytes) throw new BodyTooLarge();
    yield chunk;
  }
}

function unpacker(coding: string, first: Buffer): Transform {
  const options = { chunkSize: UNPACK_CHUNK_BYTES };
  if (coding === 'br') return createBrotliDecompress(options);
  if (coding !== 'deflate') return createGunzip(options);
  // `deflate` means the zlib format, but some servers send the bare stream.
  return ((first[0] ?? 0) & 0x0f) === 8 ? createInflate(options) : createInflateRaw(options);
}

/** Gathers chunks; into place at once when the length is known, so that no large copy is made at the end. */
class Gathered {
  readonly #maxBytes: number;
  readonly #whole: Buffer | undefined;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(maxBytes: number, length: number | undefined) {
    this.#maxBytes = maxBytes;
    this.#whole = length === undefined ? undefined : Buffer.allocUnsafe(length);
  }

  add(chunk: Buffer): void {
    const at = this.#size;
    this.#size += chunk.length;
    if (this.#size > this.#maxBytes) throw new BodyTooLarge();
    if (this.#whole !== undefined && this.#size <= this.#whole.length) this.#whole.set(chunk, at);
    else this.#chunks.push(chunk);
  }

  bytes(): Buffer {
    if (this.#whole === undefined) return Buffer.concat(this.#chunks, this.#size);
    return this.#size === this.#whole.length
      ? this.#whole
      : this.#whole.subarray(0, Math.min(this.#size, this.#whole.length));
  }
}
