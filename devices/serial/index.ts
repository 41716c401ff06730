/** 125 kHz card readers on a serial port: RDM6300 and ID-12LA. They read; they have neither light nor sounder to command. */
import { z } from 'zod';
import type { ConfiguredDevice, OpenPort, OutgoingCommand, PortDriver, PortHost } from '../driver.ts';
import { FrameParser, type SerialRead } from './frames.ts';
import { Presentations } from './presentation.ts';
import { openSerialPort, PersistentPort, type PortOpener } from './reconnect.ts';

const schema = z
  .strictObject({
    port: z
      .string()
      .regex(/^\/\S+$/, 'must be an absolute path, e.g. /dev/serial/by-id/usb-… or /dev/serial0')
      .describe('Path of the serial port. Use /dev/serial/by-id/… for an adapter, so that a re-plug finds it again.'),
    model: z.enum(['rdm6300', 'id-12la']).describe('Reader module.'),
    baudRate: z.int().min(300).max(115_200).default(9600).describe('Bits per second; both modules speak 9600.'),
  })
  .describe('A 125 kHz card reader on a serial port.');

export type SerialConfig = z.infer<typeof schema>;

const MODEL_NAMES: Record<SerialConfig['model'], string> = { rdm6300: 'RDM6300', 'id-12la': 'ID-12LA' };

/** What a test brings of its own. */
export interface SerialParts {
  /** Monotonic ms. */
  readonly monoMs: () => number;
  readonly open: PortOpener;
}

/** Broken frames in a row before anybody is told: one is what a plug or a motor nearby makes, this many is a fault. */
export const BROKEN_FRAMES_TOLERATED = 5;

/** Turns the bytes of one reader into messages. */
class Reader {
  readonly #host: PortHost;
  readonly #id: string;
  readonly #monoMs: () => number;
  readonly #parser = new FrameParser();
  readonly #presentations = new Presentations();
  #brokenInARow = 0;

  constructor(id: string, host: PortHost, monoMs: () => number) {
    this.#id = id;
    this.#host = host;
    this.#monoMs = monoMs;
  }

  opened(): void {
    this.#parser.reset();
    this.#brokenInARow = 0;
  }

  data(bytes: Uint8Array): void {
    for (const read of this.#parser.push(bytes)) this.#tell(read);
  }

  #tell(read: SerialRead): void {
    this.#brokenInARow = read.kind === 'broken' ? this.#brokenInARow + 1 : 0;
    switch (read.kind) {
      case 'tag':
        if (!this.#presentations.isNew(read.uid, this.#monoMs())) return;
        this.#host.emit({
          type: 'event',
          capability: 'reader',
          event: { type: 'credential', format: 'uid', value: read.uid },
          retained: false,
        });
        return;
      case 'checksum':
        // Some clones compute it wrongly for every tag; the sentence must help without telling the number.
        this.#host.warn(
          'checksum',
          `Reader ${this.#id}: a read with a wrong checksum was refused. Single ones are noise on the line; if every read fails, the module is a clone with a faulty checksum: replace it.`,
        );
        return;
      case 'broken':
        if (this.#brokenInARow % BROKEN_FRAMES_TOLERATED !== 0) return;
        this.#host.warn(
          'frame',
          `Reader ${this.#id}: ${BROKEN_FRAMES_TOLERATED} frames in a row were broken. Check its wires, its supply and baudRate.`,
        );
    }
  }
}

/** The driver with its clock and its way to open a port; `serialDriver` is the one with the real ones. */
export function createSerialDriver(parts: SerialParts): PortDriver<SerialConfig> {
  return {
    name: 'serial',
    title: 'RDM6300 and ID-12LA card readers (125 kHz) on a serial port.',
    schema,
    transport: 'port',
    capabilities: () => ['reader'],
    open: async (device: ConfiguredDevice<SerialConfig>, host: PortHost): Promise<OpenPort> => {
      const { port: path, baudRate, model: modelId } = device.config;
      const model = MODEL_NAMES[modelId];
      const reader = new Reader(device.id, host, parts.monoMs);
      let online = false;
      const tellStatus = (now: boolean) => {
        online = now;
        host.emit({ type: 'status', online });
      };
      const port = new PersistentPort(
        { path, baudRate },
        {
          opened: () => {
            reader.opened();
            host.emit({ type: 'description', model, firmware: 'not told', capabilities: ['reader'] });
            tellStatus(true);
          },
          lost: (why) => {
            tellStatus(false);
            host.warn('port', `Reader ${device.id}: ${why}. It is tried again by itself.`);
          },
          data: (bytes) => reader.data(bytes),
        },
        parts.open,
      );
      const perform = ({ id, capability }: OutgoingCommand) => {
        const why = `An ${model} reader takes no commands: it has neither light nor sounder.`;
        host.emit({ type: 'ack', capability, id, result: 'failed', why });
        // An answer of the driver is no sign of life of the reader.
        if (!online) tellStatus(false);
      };
      await port.start();
      return { perform, close: () => port.close() };
    },
  };
}

export const serialDriver = createSerialDriver({ monoMs: () => performance.now(), open: openSerialPort });
