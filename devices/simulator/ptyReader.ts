/** A virtual RDM6300 on a serial path that the caller gives, usually one end of a pty pair. */

const START = 0x02;
const END = 0x03;
const BAUD = 9600;

/**
 * The frame of a tag: 02, ten ASCII hex digits, two ASCII digits of their XOR checksum, 03 (FACTS 1).
 * `damage` is XORed into the checksum, as clones with a faulty one do.
 */
export function rdm6300Frame(tag: string, damage = 0): Buffer {
  if (!/^[0-9A-Fa-f]{10}$/.test(tag)) throw new Error(`a tag has ten hex digits, not ${JSON.stringify(tag)}`);
  const checksum = Buffer.from(tag, 'hex').reduce((sum, byte) => sum ^ byte, damage & 0xff);
  const text = tag.toUpperCase() + checksum.toString(16).toUpperCase().padStart(2, '0');
  return Buffer.concat([Buffer.from([START]), Buffer.from(text, 'ascii'), Buffer.from([END])]);
}

export interface PtyReader {
  /** Holds a tag to the reader, ten hex digits; resolves when its bytes have left. */
  present(tag: string): Promise<void>;
  /** The same with a wrong checksum. */
  presentDamaged(tag: string): Promise<void>;
  /** Any bytes: noise on the line. */
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export async function openPtyReader(path: string): Promise<PtyReader> {
  // Loaded only here: a simulation without a serial line needs no native module.
  const { SerialPort } = await import('serialport');
  const port = await new Promise<InstanceType<typeof SerialPort>>((resolve, reject) => {
    const opened = new SerialPort({ path, baudRate: BAUD }, (error) => (error ? reject(error) : resolve(opened)));
  });
  // A line that is pulled ends the port; the caller sees it at the next write.
  port.on('error', () => {});
  const write = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      port.write(Buffer.from(bytes), (error) => {
        if (error) reject(error);
        else port.drain((drainError) => (drainError ? reject(drainError) : resolve()));
      });
    });
  return {
    present: (tag) => write(rdm6300Frame(tag)),
    presentDamaged: (tag) => write(rdm6300Frame(tag, 0x5a)),
    write,
    close: () =>
      new Promise((resolve) => {
        if (port.isOpen) port.close(() => resolve());
        else resolve();
      }),
  };
}
