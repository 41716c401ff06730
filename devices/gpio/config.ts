/** What the configuration says of a Raspberry Pi's header: which pin is which capability. */
import { z } from 'zod';

/** Outputs are driven, inputs are watched; nothing else can be wired to a bare pin. */
const OUTPUT_KINDS = ['lock', 'relay'] as const;
const INPUT_KINDS = ['door', 'exit', 'presence'] as const;
export type OutputKind = (typeof OUTPUT_KINDS)[number];
export type InputKind = (typeof INPUT_KINDS)[number];

/** The 40-pin header carries BCM 0 to 27. */
const LAST_HEADER_PIN = 27;
/** Reed contacts and push buttons bounce for 1 to 10 ms. */
export const DEFAULT_DEBOUNCE_MS = 20;
/** An input that lasts 400 ms must always be seen (IEC 60839-11-1), so the debouncing may take half of that at most. */
const MAX_DEBOUNCE_MS = 200;

const capabilityPattern = /^(lock|relay|door|exit|presence)(-([2-9]|[1-9][0-9]))?$/;

const pinSchema = z
  .strictObject({
    capability: z
      .string()
      .regex(capabilityPattern, 'must be lock, relay, door, exit or presence, a further one with its number: relay-2')
      .describe('What the pin is: lock (a strike), relay, door (contact), exit (button), presence; relay-2 and so on.'),
    pin: z
      .int()
      .min(0)
      .max(LAST_HEADER_PIN)
      .describe('BCM number (GPIO17 is 17), not the place on the header. 0 and 1 belong to the HAT identification.'),
    activeLow: z
      .boolean()
      .default(false)
      .describe(
        'true: low level means energised, or contact closed. Most relay boards, and contacts between pin and ground.',
      ),
    safe: z
      .enum(['on', 'off'])
      .optional()
      .describe('Relays only: where the relay goes at start, at stop and when the gateway dies; off unless set.'),
    debounceMs: z
      .int()
      .min(1)
      .max(MAX_DEBOUNCE_MS)
      .optional()
      .describe(`Inputs only: how long a contact must rest before it counts, ms; ${DEFAULT_DEBOUNCE_MS} unless set.`),
    pull: z
      .enum(['up', 'down', 'none'])
      .optional()
      .describe('Inputs only, a remark for the technician: the resistor itself is set in /boot/firmware/config.txt.'),
  })
  .superRefine((pin, context) => {
    const refuse = (key: 'safe' | 'debounceMs' | 'pull', message: string) =>
      context.addIssue({ code: 'custom', path: [key], message, input: pin[key] });
    const output = outputKind(pin.capability);
    if (pin.safe !== undefined && output !== 'relay') {
      refuse('safe', 'belongs to relays only: remove it (a lock is always safe when locked)');
    }
    if (pin.debounceMs !== undefined && output !== undefined) refuse('debounceMs', 'belongs to inputs only: remove it');
    if (pin.pull !== undefined && output !== undefined) refuse('pull', 'belongs to inputs only: remove it');
  });

export const gpioSchema = z
  .strictObject({
    pins: z
      .array(pinSchema)
      .min(1)
      .max(LAST_HEADER_PIN + 1),
  })
  .superRefine(({ pins }, context) => {
    for (const key of ['pin', 'capability'] as const) {
      const seen = new Map<string | number, number>();
      for (const [at, entry] of pins.entries()) {
        const first = seen.get(entry[key]);
        if (first === undefined) seen.set(entry[key], at);
        else {
          const message = `is used twice: pins[${first}] has it too`;
          context.addIssue({ code: 'custom', path: ['pins', at, key], message, input: entry[key] });
        }
      }
    }
  })
  .describe("Contacts, buttons, relays and strikes on a Raspberry Pi's header.");

export type GpioConfig = z.infer<typeof gpioSchema>;
export type PinConfig = GpioConfig['pins'][number];

const kindOf = (capability: string) => capability.replace(/-\d+$/, '');

export function outputKind(capability: string): OutputKind | undefined {
  return OUTPUT_KINDS.find((kind) => kind === kindOf(capability));
}

export function inputKind(capability: string): InputKind | undefined {
  return INPUT_KINDS.find((kind) => kind === kindOf(capability));
}

/** The level that the pin has in its safe state: a lock locked (fail secure: not energised), a relay as configured. */
export function safeLevel(pin: PinConfig): 0 | 1 {
  const energised = pin.safe === 'on';
  return energised === pin.activeLow ? 0 : 1;
}
