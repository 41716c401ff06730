/**
 * Every error that leaves the program: HTTP status where it has one, what it means, what to do.
 * `docs/errors.md` holds the same list; a test fails when they differ.
 */
export const ERRORS = {
  invalid: {
    status: 400,
    title: 'The request is not valid',
    remedy: 'Mend the fields that `errors` names and send it again.',
  },
  unauthenticated: { status: 401, title: 'Not signed in', remedy: 'Sign in, or send a valid bearer token.' },
  wrong_password: {
    status: 401,
    title: 'User name or password is wrong',
    remedy: 'Try again, or have a manager set a new password with `doorward user add`.',
  },
  forbidden: { status: 403, title: 'Your role may not do this', remedy: 'Ask a manager.' },
  csrf: {
    status: 403,
    title: 'The CSRF token is missing or wrong',
    remedy: 'Send the `csrf` of your session as X-CSRF-Token.',
  },
  not_found: { status: 404, title: 'There is no such thing', remedy: 'Check the id.' },
  conflict: {
    status: 409,
    title: 'It clashes with what is there',
    remedy: 'Read `detail`, change the request and send it again.',
  },
  booking_overlap: {
    status: 409,
    title: 'The room is booked at that time',
    remedy: 'Choose another time or room; `clash` is the booking in the way.',
  },
  too_large: { status: 413, title: 'The request is too large', remedy: 'Send less at a time.' },
  rate_limited: { status: 429, title: 'Too many requests', remedy: 'Wait as long as Retry-After says.' },
  internal: {
    status: 500,
    title: 'The gateway failed at this',
    remedy: 'Look into its log at the time of the request, and report it.',
  },
  unavailable: {
    status: 503,
    title: 'The gateway cannot do this right now',
    remedy: 'Try again in a moment; see the alarms.',
  },
  config_unreadable: {
    status: 0,
    title: 'The configuration file cannot be read',
    remedy: 'Check the path and its permissions.',
  },
  config_invalid: {
    status: 0,
    title: 'The configuration has faults',
    remedy: 'Mend each fault listed; `doorward check FILE` shows them all.',
  },
  data_locked: {
    status: 0,
    title: 'Another process uses this data folder',
    remedy: 'Stop it, or use another --data folder.',
  },
  data_unusable: {
    status: 0,
    title: 'The data folder cannot be used',
    remedy: 'Check the path, its owner and the free space.',
  },
  port_taken: {
    status: 0,
    title: 'A port is taken',
    remedy: 'Stop what uses it or set another port in the configuration.',
  },
  broker_unreachable: {
    status: 0,
    title: 'The MQTT broker does not answer',
    remedy: 'Check broker.external in the configuration, the network and the broker.',
  },
  journal_broken: {
    status: 0,
    title: 'The journal does not verify',
    remedy: 'Keep the data folder as it is and see docs/operations.md, “The journal does not verify”.',
  },
  native_module: {
    status: 0,
    title: 'A native module is missing',
    remedy: 'Install the build tools and run npm install again; see README.',
  },
} as const satisfies Record<string, { status: number; title: string; remedy: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** An expected failure on its way out. `detail` says what happened and where; it holds no secret. */
export class Fault extends Error {
  readonly code: ErrorCode;
  readonly detail: string;
  /** Further fields for the client, e.g. `clash`. */
  readonly extra: Readonly<Record<string, unknown>>;
  constructor(code: ErrorCode, detail: string, extra: Readonly<Record<string, unknown>> = {}) {
    super(`${ERRORS[code].title}: ${detail}`);
    this.name = 'Fault';
    this.code = code;
    this.detail = detail;
    this.extra = extra;
  }
}
