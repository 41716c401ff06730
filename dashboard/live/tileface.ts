import type { Room } from '../../gateway/wire/rooms.ts';
import { cut, fitting, nameLines } from './plan.ts';
import { type DoorState, doorState, type RoomState, STATE_WORDS } from './roomstate.ts';
import { bookingLine, degrees } from './tile.ts';

/** A line of text in a tile. Pixels from the tile's top left corner; `y` is the letters' base. */
export interface TileLine {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly font: number;
  readonly kind: 'word' | 'name' | 'more' | 'warmth';
}

/** What a room's tile shows and where: all of it at once, so that 200 tiles are 200 values to keep, not thousands. */
export interface TileFace {
  readonly pad: number;
  readonly lines: readonly TileLine[];
  /** The glyph at the lower right; null for a room without a door of its own. */
  readonly door: DoorState | null;
}

/** From this width on a tile has room to breathe. */
const ROOMY_PX = 118;
/** Letters of the lesser lines, as a part of the name's. */
const LESSER = 0.93;

/** `width` and `height` in pixels. Nothing is longer than the tile is wide; lines that find no room are left out. */
export function tileFace(
  room: Room,
  state: RoomState,
  alarms: number,
  width: number,
  height: number,
  nowMs: number,
  timeZone: string,
): TileFace {
  const pad = width >= ROOMY_PX ? 12 : width >= 80 ? 8 : 5.5;
  const inner = width - 2 * pad;
  const font = width >= 170 ? 14.5 : width >= ROOMY_PX ? 13.5 : width >= 100 ? 12 : 11;
  const lesser = font * LESSER;
  // A narrow tile has the state's word under its glyph, so that neither is cut.
  const narrow = width < (alarms > 0 ? 128 : 104);
  const door = room.door ? doorState(room.door) : null;

  const wordWidth = narrow ? inner : inner - 20 - (alarms > 0 ? 22 : 0);
  const wordFont = fitting(STATE_WORDS[state], wordWidth, font * 0.95);
  const lines: TileLine[] = [
    {
      kind: 'word',
      text: cut(STATE_WORDS[state], wordWidth, wordFont),
      x: narrow ? pad : pad + 20,
      y: narrow ? pad + 29 : pad + 12,
      font: wordFont,
    },
  ];
  let y = pad + (narrow ? 46 : 34);
  for (const text of nameLines(room.name, inner, font * 1.12, 2)) {
    lines.push({ kind: 'name', text, x: pad, y, font });
    y += font + 3;
  }

  const warmth = temperature(room, narrow);
  // A temperature that does not fit beside the door's glyph stands above it.
  const stacked = door !== null && cut(warmth, inner - 17, lesser) !== warmth;
  const foot = height - pad - 1 - (stacked ? 17 : 0);
  y += 2;
  for (const text of [booking(room, narrow, nowMs, timeZone), room.booking.now?.holderName ?? '']) {
    if (text === '') continue;
    if (y > height - pad - font - 4 - (stacked ? 15 : 0)) break;
    lines.push({ kind: 'more', text: cut(text, inner, lesser), x: pad, y, font: lesser });
    y += font + 5;
  }
  if (warmth !== '') lines.push({ kind: 'warmth', text: cut(warmth, inner, lesser), x: pad, y: foot, font: lesser });
  return { pad, lines, door };
}

function booking(room: Room, narrow: boolean, nowMs: number, timeZone: string): string {
  const line = bookingLine(room, nowMs, timeZone);
  return narrow ? line.replace('until ', '– ').replace('next ', '› ') : line;
}

function temperature(room: Room, narrow: boolean): string {
  const full = room.climate ? degrees(room.climate.temperature) : '';
  return narrow ? full.replace(' °C', '°') : full;
}
