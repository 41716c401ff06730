/**
 * A credential event as nearly every reader sends it, read field by field: whoever badged waits for this, and the schema
 * (`schemas.readerEvent`, which stays the word on what is right) takes ten times as long on a processor that was busy
 * with something else. `test/devices/native.test.ts` holds the two together.
 */
import type { z } from 'zod';
import { CREDENTIAL_CHARS, ID_CHARS, type readerEvent, TEXT_CHARS } from './schemas.ts';

export type CredentialPayload = Extract<z.infer<typeof readerEvent>, { type: 'credential' }>;

/** undefined: not plainly a credential event, which does not say that it is none. Ask the schema. */
export function plainCredential(json: unknown): CredentialPayload | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { type, id, boot, seq, at, format, value, facility, card } = json as {
    [K in keyof CredentialPayload]?: unknown;
  };
  if (type !== 'credential' || facility !== undefined || card !== undefined) return undefined;
  if (format !== 'uid' && format !== 'bits') return undefined;
  if (!isText(value, CREDENTIAL_CHARS) || !isText(id, ID_CHARS) || !isText(at, TEXT_CHARS)) return undefined;
  if (boot !== undefined && !isText(boot, ID_CHARS)) return undefined;
  if (seq !== undefined && !(typeof seq === 'number' && Number.isSafeInteger(seq) && seq >= 0)) return undefined;
  return { type, id, boot, seq, at, format, value };
}

function isText(value: unknown, maxChars: number): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= maxChars;
}
