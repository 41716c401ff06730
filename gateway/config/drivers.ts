/**
 * What the configuration has to know of a driver. A whole driver fits; the schema must load no native module, so
 * that a check runs on any machine.
 */
import type { z } from 'zod';

export interface DriverSpec {
  readonly name: string;
  readonly title?: string | undefined;
  readonly transport?: 'mqtt' | 'port' | undefined;
  /** The driver's own keys of a device. */
  readonly schema: z.ZodType;
  /** Of drivers that know their devices' capabilities without asking them. */
  // biome-ignore lint/suspicious/noExplicitAny: each driver has a configuration type of its own
  capabilities?(config: any): readonly string[];
}
