import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matches } from '../../gateway/bus/dispatch.ts';

describe('which topics a filter takes (MQTT 3.1.1, section 4.7)', () => {
  test.each([
    ['a/b', 'a/b', true],
    ['a/b', 'a/bc', false],
    ['a/bc', 'a/b', false],
    ['a/+/c', 'a/b/c', true],
    ['a/+/c', 'a//c', true],
    ['a/+/c', 'a/b/b/c', false],
    ['a/+', 'a', false],
    ['a/+', 'a/', true],
    ['+', 'a', true],
    ['+', '/a', false],
    ['+/+', '/a', true],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['a/#', 'ab', false],
    ['a/+/#', 'a', false],
    ['a/+/#', 'a/b', true],
    ['#', 'a/b', true],
    ['doorward/1/site/+/event/#', 'doorward/1/site/reader-1/event/reader', true],
    ['doorward/1/site/+/event/#', 'doorward/1/site/reader-1/events/reader', false],
  ])('%s, %s: %s', (filter, topic, expected) => {
    expect(matches(filter, topic)).toBe(expected);
  });

  test('as level by level', () => {
    const level = fc.constantFrom('', 'a', 'b', 'ab', '1');
    const levels = (of: fc.Arbitrary<string>) => fc.array(of, { minLength: 1, maxLength: 5 });
    const filters = fc
      .tuple(levels(fc.oneof(level, fc.constant('+'))), fc.boolean())
      .map(([wanted, open]) => (open ? [...wanted, '#'] : wanted));
    fc.assert(
      fc.property(filters, levels(level), (wanted, given) => {
        expect(matches(wanted.join('/'), given.join('/'))).toBe(byLevels(wanted, given));
      }),
      { numRuns: 5_000 },
    );
  });
});

function byLevels([wanted, ...rest]: readonly string[], [given, ...below]: readonly string[]): boolean {
  if (wanted === '#') return true;
  if (wanted === undefined || given === undefined) return wanted === given;
  return (wanted === '+' || wanted === given) && byLevels(rest, below);
}
