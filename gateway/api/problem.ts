/** Every failure of a request leaves here, as RFC 9457 problem details with a code of `gateway/core/errors.ts`. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { ERRORS, type ErrorCode, Fault } from '../core/errors.ts';

export interface FieldFault {
  readonly path: string;
  readonly message: string;
}

/** A 400 that names the fields at fault, as zod's own faults do. */
export function invalid(...errors: FieldFault[]): Fault {
  const detail = errors.map((error) => `${error.path}: ${error.message}`).join('; ');
  return new Fault('invalid', detail, { errors });
}

export function problemBody(fault: Fault): Record<string, unknown> {
  const known = ERRORS[fault.code];
  return {
    type: `urn:doorward:error:${fault.code}`,
    title: known.title,
    status: known.status,
    code: fault.code,
    detail: fault.detail,
    remedy: known.remedy,
    ...fault.extra,
  };
}

export function sendProblem(reply: FastifyReply, fault: Fault): FastifyReply {
  const retryAfterS = fault.extra.retryAfterS;
  if (typeof retryAfterS === 'number') reply.header('retry-after', String(retryAfterS));
  return reply
    .code(ERRORS[fault.code].status || ERRORS.internal.status)
    .header('cache-control', 'no-store')
    .type('application/problem+json')
    .send(JSON.stringify(problemBody(fault)));
}

/** SQLite's and the system's words for a disk that refuses. */
const DISK_REFUSES = /^(SQLITE_(FULL|IOERR|READONLY|CANTOPEN|BUSY|LOCKED)|ENOSPC|EROFS|EDQUOT|EIO)/;

const FASTIFY_CODES: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['too_large', 'The body is larger than the gateway takes.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['invalid', 'The body is not JSON.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['invalid', 'The body must be application/json.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid', 'The body is not as long as Content-Length says.'],
};

/** Turns whatever was thrown into a Fault that holds nothing internal. */
export function asFault(error: unknown): Fault {
  if (error instanceof Fault) return ERRORS[error.code].status === 0 ? internal() : error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const where = error.validationContext ?? 'request';
    return invalid(
      ...error.validation.map((fault) => ({
        path: `${where}${fault.instancePath === '/' ? '' : fault.instancePath.replaceAll('/', '.')}`,
        message: fault.message ?? 'is not valid',
      })),
    );
  }
  const { code, statusCode } = (error ?? {}) as Partial<FastifyError>;
  const known = typeof code === 'string' ? FASTIFY_CODES[code] : undefined;
  if (known) return new Fault(known[0], known[1]);
  if (typeof code === 'string' && DISK_REFUSES.test(code))
    return new Fault('unavailable', 'The data folder refuses to be written or read; see the disk and the alarms.');
  if (statusCode === 404) return new Fault('not_found', 'There is nothing at this address.');
  if (statusCode === 413) return new Fault('too_large', 'The request is larger than the gateway takes.');
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500)
    return new Fault('invalid', 'The request cannot be read.');
  return internal();
}

function internal(): Fault {
  return new Fault('internal', 'Something in the gateway failed; its log says what.');
}

export function handleError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const fault = asFault(error);
  if (ERRORS[fault.code].status >= 500)
    request.log.error({ err: error, route: request.routeOptions.url }, fault.detail);
  return sendProblem(reply, fault);
}
