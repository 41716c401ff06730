/** The gateway's own way into the embedded broker: two streams back to back, in memory. */
import { Duplex } from 'node:stream';

/**
 * As Node's `duplexPair`, with two differences. What was written in one turn crosses as one piece: MQTT packets are
 * written in five or six. And the writer hears that its piece was taken a tick later, never from within the reader's
 * `read`: aedes reads on while it still parses what it has (an acknowledgement is dealt with at once), its parser does
 * not stand being called from within itself, and bytes that came at that moment would put it out of step.
 */
class Side extends Duplex {
  other: Side | undefined;
  #taken: ((error?: Error | null) => void) | undefined;

  override _read(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    if (taken !== undefined) process.nextTick(taken);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.other?.receive(chunk, done);
  }

  override _writev(pieces: readonly { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.other?.receive(Buffer.concat(pieces.map(({ chunk }) => chunk)), done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.other?.push(null);
    done();
  }

  receive(bytes: Buffer, done: (error?: Error | null) => void): void {
    // First, since a flowing reader takes the piece within `push`.
    this.#taken = done;
    if (bytes.length === 0) this._read();
    else this.push(bytes);
  }
}

/** Each end buffers `bytes` before it asks its writer to wait. */
export function pair(bytes: number): [Duplex, Duplex] {
  const one = new Side({ highWaterMark: bytes });
  const two = new Side({ highWaterMark: bytes });
  one.other = two;
  two.other = one;
  return [one, two];
}
