import type { Room } from '../../gateway/wire/rooms.ts';

/** A room's place on its floor in metres from the floor's top left corner. */
export interface Placed {
  readonly room: Room;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly depth: number;
}

export interface Floor {
  readonly name: string;
  readonly rooms: readonly Placed[];
  readonly width: number;
  readonly depth: number;
}

/** Rooms that have no place on the plan are set out below it in tiles of this size, this many to a line. */
const TILE = { width: 4, depth: 3, perLine: 5 } as const;

/** Floors in the order of the configuration, each moved to its own top left corner. */
export function floors(rooms: readonly Room[]): Floor[] {
  const byFloor = new Map<string, Room[]>();
  for (const room of rooms) {
    const there = byFloor.get(room.floor);
    if (there) there.push(room);
    else byFloor.set(room.floor, [room]);
  }
  return [...byFloor].map(([name, there]) => floor(name, there));
}

function floor(name: string, rooms: readonly Room[]): Floor {
  const plans = rooms.flatMap((room) => (room.plan ? [{ room, ...room.plan }] : []));
  const left = Math.min(...plans.map((plan) => plan.x));
  const top = Math.min(...plans.map((plan) => plan.y));
  const placed: Placed[] = plans.map((plan) => ({ ...plan, x: plan.x - left, y: plan.y - top }));
  const below = placed.length === 0 ? 0 : Math.max(...placed.map((at) => at.y + at.depth)) + 0.5;
  rooms
    .filter((room) => !room.plan)
    .forEach((room, index) => {
      const x = (index % TILE.perLine) * TILE.width;
      const y = below + Math.floor(index / TILE.perLine) * TILE.depth;
      placed.push({ room, x, y, width: TILE.width, depth: TILE.depth });
    });
  return {
    name,
    rooms: placed,
    width: Math.max(...placed.map((at) => at.x + at.width)),
    depth: Math.max(...placed.map((at) => at.y + at.depth)),
  };
}

export type Arrow = 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown';
export const isArrow = (key: string): key is Arrow =>
  key === 'ArrowLeft' || key === 'ArrowRight' || key === 'ArrowUp' || key === 'ArrowDown';

/** The next room in the arrow's direction: the nearest centre, distance to the side counting double. */
export function neighbour(rooms: readonly Placed[], from: string, arrow: Arrow): string | undefined {
  const centre = (at: Placed) => ({ x: at.x + at.width / 2, y: at.y + at.depth / 2 });
  const here = rooms.find((at) => at.room.id === from);
  if (!here) return rooms[0]?.room.id;
  const start = centre(here);
  const across = arrow === 'ArrowLeft' || arrow === 'ArrowRight';
  const sign = arrow === 'ArrowRight' || arrow === 'ArrowDown' ? 1 : -1;
  let best: { id: string; cost: number } | undefined;
  for (const at of rooms) {
    const end = centre(at);
    const along = (across ? end.x - start.x : end.y - start.y) * sign;
    if (along <= 0.01) continue;
    const cost = along + 2 * Math.abs(across ? end.y - start.y : end.x - start.x);
    if (!best || cost < best.cost) best = { id: at.room.id, cost };
  }
  return best?.id;
}

/** Mean width of a letter as a part of the font's size, with a margin for wide fonts. */
const LETTER = 0.57;

/** Cuts a text to what fits into `widthPx` at `fontPx`; SVG text neither wraps nor clips by itself. */
export function cut(text: string, widthPx: number, fontPx: number): string {
  const letters = Math.floor(widthPx / (fontPx * LETTER));
  if (text.length <= letters) return text;
  return letters < 2 ? '' : `${text.slice(0, letters - 1).trimEnd()}…`;
}

/** Heavy letters are wider. */
const HEAVY_LETTER = 0.64;
/** Smaller is not read. */
const LEAST_PX = 7.5;

/** The size at which a heavy word fits whole, at most `fontPx`. */
export function fitting(word: string, widthPx: number, fontPx: number): number {
  return Math.max(LEAST_PX, Math.min(fontPx, widthPx / (word.length * HEAVY_LETTER)));
}

/** A room's name for a small tile: `Consulting room 3` becomes `Consulting 3` and then is cut. */
export function shortName(name: string): string {
  return name.replace(/\s+(room|suite)\b/gi, '');
}

/**
 * A name on one or two lines, each cut to fit; two when the whole does not fit on one.
 */
export function nameLines(name: string, widthPx: number, fontPx: number, lines: 1 | 2): string[] {
  const letters = Math.floor(widthPx / (fontPx * LETTER));
  if (name.length <= letters) return [name];
  const short = shortName(name);
  if (lines === 1 || short.length <= letters) return [cut(short, widthPx, fontPx)];
  const words = name.split(' ');
  let first = words.shift() ?? '';
  while (words[0] && `${first} ${words[0]}`.length <= letters) first += ` ${words.shift()}`;
  return [cut(first, widthPx, fontPx), cut(words.join(' '), widthPx, fontPx)].filter(Boolean);
}
