/**
 * What is kept between two looks: where the calendars are and how each stood. It is text for the host; an unreadable one
 * (of another version, damaged, of another address) means to begin anew.
 */
export const CURSOR_VERSION = 1;

/** How one calendar stood when it was last read to the end. */
export interface CollectionState {
  /** DAV:displayname; '' where it has none. */
  readonly name: string;
  /** Sync token (RFC 6578); '' where there is none. */
  readonly token: string;
  /** ctag or sync token as the listing told it before the calendar was read; '' where it tells none. */
  readonly stamp: string;
  /** Resources by name with their ETags; '' for those that came without one. */
  readonly items: ReadonlyMap<string, string>;
  /** Resources that are there and could not be had, and since when: asked for again each time. */
  readonly unread: ReadonlyMap<string, number>;
}
export interface CursorState {
  /** The configured address: another one means another cursor. */
  readonly address: string;
  /** Addresses that list calendars; the only calendar's where `single`. */
  readonly homes: readonly string[];
  readonly single: boolean;
  readonly discoveredAtMs: number;
  /** When all tokens were last asked for, whatever the stamps said. */
  readonly askedAtMs: number;
  /** When all resources were last listed, whatever the tokens said. */
  readonly listedAtMs: number;
  /** SHA-256 of each home's listing when nothing was left to do: an equal one needs no reading. */
  readonly digests: ReadonlyMap<string, string>;
  /** All listed calendars have a ctag: sync tokens need not be listed. */
  readonly ctags: boolean;
  /** By key (`keyOf`). */
  readonly collections: ReadonlyMap<string, CollectionState>;
}

export function writeCursor(state: CursorState): string {
  const collections = [...state.collections].map(([key, collection]) => [
    key,
    { ...collection, items: Object.fromEntries(collection.items), unread: Object.fromEntries(collection.unread) },
  ]);
  return JSON.stringify({
    version: CURSOR_VERSION,
    ...state,
    digests: Object.fromEntries(state.digests),
    collections: Object.fromEntries(collections),
  });
}

/** Undefined for what is no cursor of this address. */
export function readCursor(text: string | undefined, address: string): CursorState | undefined {
  if (text === undefined) return undefined;
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isWritten(read) || read.address !== address) return undefined;
  const { version: _, ...state } = read;
  return {
    ...state,
    digests: new Map(Object.entries(read.digests)),
    collections: new Map(
      Object.entries(read.collections).map(([key, collection]) => [
        key,
        {
          ...collection,
          items: new Map(Object.entries(collection.items)),
          unread: new Map(Object.entries(collection.unread)),
        },
      ]),
    ),
  };
}

interface Written extends Omit<CursorState, 'digests' | 'collections'> {
  readonly version: typeof CURSOR_VERSION;
  readonly digests: Readonly<Record<string, string>>;
  readonly collections: Readonly<Record<string, WrittenCollection>>;
}
interface WrittenCollection extends Omit<CollectionState, 'items' | 'unread'> {
  readonly items: Readonly<Record<string, string>>;
  readonly unread: Readonly<Record<string, number>>;
}

function isWritten(value: unknown): value is Written {
  return (
    isRecord(value) &&
    value.version === CURSOR_VERSION &&
    isText(value.address) &&
    Array.isArray(value.homes) &&
    value.homes.length > 0 &&
    value.homes.every((home) => isText(home) && URL.canParse(home)) &&
    typeof value.single === 'boolean' &&
    typeof value.ctags === 'boolean' &&
    [value.discoveredAtMs, value.askedAtMs, value.listedAtMs].every(Number.isFinite) &&
    isRecordOf(value.digests, isText) &&
    isRecordOf(value.collections, isCollection)
  );
}

function isCollection(value: unknown): boolean {
  return (
    isRecord(value) &&
    [value.name, value.token, value.stamp].every(isText) &&
    isRecordOf(value.items, isText) &&
    isRecordOf(value.unread, Number.isFinite)
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
function isRecordOf(value: unknown, check: (one: unknown) => boolean): boolean {
  return isRecord(value) && Object.values(value).every((one) => check(one));
}
