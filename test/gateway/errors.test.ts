import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ERRORS, type ErrorCode } from '../../gateway/core/errors.ts';
import { REASONS } from '../../gateway/core/reasons.ts';

const doc = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const rows = new Map(
  [...doc.matchAll(/^\| `([a-z_]+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$/gm)].map((match) => [
    match[1] ?? '',
    { status: match[2]?.trim(), title: match[3]?.trim(), remedy: match[4]?.trim() },
  ]),
);

describe('docs/errors.md', () => {
  it('lists every error code, and no other', () => {
    expect([...rows.keys()].sort()).toEqual(Object.keys(ERRORS).sort());
  });

  it.each(Object.keys(ERRORS) as ErrorCode[])('says the same of %s as the program', (code) => {
    const { status, title, remedy } = ERRORS[code];
    expect(rows.get(code)).toEqual({ status: status === 0 ? '–' : String(status), title, remedy });
  });

  it('lists every access reason with its number', () => {
    const reasons = [...doc.matchAll(/^\| (\d+) \| `([a-z_]+)` \|/gm)].map((match) => [match[2], Number(match[1])]);
    expect(Object.fromEntries(reasons)).toEqual(REASONS);
  });
});
