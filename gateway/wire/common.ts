/** Pieces shared by the schemas of everything that crosses to the dashboard or to API clients. */
import { z } from 'zod';

/** RFC 3339 with an offset, read into the same instant; sent in UTC with milliseconds. */
export const instant = z.iso.datetime({ offset: true });
/** An id as a client may choose or send it. */
export const id = z.string().min(1).max(64);
/** An id as the gateway sends it: calendars bring longer ones. */
export const ref = z.string();

/** RFC 9457 problem details, `application/problem+json`. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  /** One of the codes of docs/errors.md. */
  code: z.string(),
  detail: z.string(),
  /** For 400: every fault, with where it is. */
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
});
export type Problem = z.infer<typeof problem>;

export const roles = ['manager', 'reception', 'viewer', 'practitioner', 'integrator'] as const;
export const role = z.enum(roles);
export type Role = z.infer<typeof role>;
