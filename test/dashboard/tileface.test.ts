import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ROOM_STATES } from '../../dashboard/live/roomstate.ts';
import { tileFace } from '../../dashboard/live/tileface.ts';
import { at, room } from '../support/fixtures-data.ts';

const NOW = Date.parse('2026-11-23T09:20:00Z');
const booking = (holderName: string) => ({
  now: {
    id: 'b',
    holder: 'm',
    holderName,
    start: at(NOW - 60_000),
    end: at(NOW + 600_000),
    status: 'confirmed' as const,
  },
  next: null,
  revoked: null,
});
const texts = (width: number, height: number) => {
  const clinic = { ...room('r', 'Consulting room 3', NOW), booking: booking('Dr Ada Brandt') };
  const { lines } = tileFace(clinic, 'occupied', 0, width, height, NOW, 'Europe/Berlin');
  return lines.map(({ kind, text }) => `${kind}: ${text}`);
};

test('a roomy tile says everything, a low one its state, name and warmth', () => {
  expect(texts(190, 130)).toMatchInlineSnapshot(`
    [
      "word: Occupied",
      "name: Consulting room 3",
      "more: until 10:30",
      "more: Dr Ada Brandt",
      "warmth: 18.4 °C",
    ]
  `);
  expect(texts(190, 66)).toMatchInlineSnapshot(`
    [
      "word: Occupied",
      "name: Consulting room 3",
      "warmth: 18.4 °C",
    ]
  `);
});

test('a narrow tile has short words, each whole or cut with an ellipsis', () => {
  expect(texts(84, 130)).toMatchInlineSnapshot(`
    [
      "word: Occupied",
      "name: Consulti…",
      "name: room 3",
      "more: – 10:30",
      "more: Dr Ada Bra…",
      "warmth: 18.4°",
    ]
  `);
});

test('whatever a room is called and however small its tile: lines stay inside and keep their order', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 56, max: 400 }),
      fc.integer({ min: 112, max: 400 }),
      fc.string({ minLength: 1, maxLength: 60 }),
      fc.string({ maxLength: 60 }),
      fc.constantFrom(...ROOM_STATES),
      fc.constantFrom(0, 1, 12),
      (width, height, name, holder, state, alarms) => {
        const clinic = { ...room('r', name, NOW), booking: booking(holder) };
        const { lines } = tileFace(clinic, state, alarms, width, height, NOW, 'UTC');
        const kinds = lines.map(({ kind }) => kind);
        expect(kinds.filter((kind) => kind === 'word')).toHaveLength(1);
        expect(kinds).toContain('name');
        for (const { y, x } of lines) {
          expect(y).toBeGreaterThan(0);
          expect(y).toBeLessThan(height);
          expect(x).toBeLessThan(width);
        }
        const above = lines.filter(({ kind }) => kind !== 'warmth').map(({ y }) => y);
        expect(above).toEqual([...above].sort((a, b) => a - b));
      },
    ),
  );
});
