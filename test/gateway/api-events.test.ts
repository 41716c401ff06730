/** The journal over HTTP: in pages, as one table, and never in the way of a door. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { csvLine } from '../../gateway/api/csv.ts';
import type { JournalDraft } from '../../gateway/core/effects.ts';
import { STEP_ENTRIES } from '../../gateway/store/journalwalk.ts';
import { aRig, bearer, NOW, type Rig } from '../support/api.ts';

let rig: Rig;
let token: string;
beforeEach(async () => {
  rig = await aRig();
  token = rig.token('manager');
});
afterEach(() => rig.close());

const get = (path: string, headers = {}) => rig.app.inject(bearer(token, { url: `/api/v1/${path}`, headers }));
const draft = (id: string, change: Partial<JournalDraft> = {}): JournalDraft => ({
  id,
  occurredAtMs: NOW,
  kind: 'access',
  ...change,
});

describe('events', () => {
  const append = (count: number) =>
    rig.store.journal.append(
      Array.from({ length: count }, (_, i) => draft(`e${i}`, { door: i % 2 ? 'd1' : 'd2' })),
      NOW,
    );

  it('come newest first, in pages that follow one another', async () => {
    append(7);
    const first = (await get('events?limit=3')).json<{ items: { seq: number }[]; next: string }>();
    const second = (await get(`events?limit=3&cursor=${first.next}`)).json<{
      items: { seq: number }[];
      next: string;
    }>();
    const third = (await get(`events?limit=3&cursor=${second.next}`)).json<{
      items: { seq: number }[];
      next: null;
    }>();
    const seqs = [first, second, third].flatMap(({ items }) => items.map(({ seq }) => seq));
    expect(seqs).toEqual([...seqs].sort((a, b) => b - a));
    expect([seqs.length, third.next]).toEqual([7, null]);
    expect((await get('events?limit=7')).json()).toMatchObject({ next: null });
    expect((await get('events?door=d1')).json<{ items: unknown[] }>().items).toHaveLength(3);
    expect((await get('events?limit=0')).statusCode).toBe(400);
    expect((await get('events?cursor=-1')).statusCode).toBe(400);
  });
  it('as CSV are all of them, with the same filters', async () => {
    append(1_003);
    const reply = await get('events?door=d2', { accept: 'text/csv' });
    expect(reply.headers['content-type']).toBe('text/csv; charset=utf-8');
    const lines = reply.body.split('\r\n');
    expect(lines[0]).toMatch(/^seq,id,occurredAt,/);
    expect(lines).toHaveLength(1 + 502 + 1);
  });
  it('as CSV never hold a formula', async () => {
    for (const text of ['=1+1', '+1', '-1', '@SUM(A1)', '\tx', '\rx'])
      rig.store.journal.append([draft(`f${text}`, { note: text })], NOW);
    rig.addMember('ada', { name: '=HYPERLINK("http://x")' });
    rig.store.journal.append([draft('named', { member: 'ada', note: 'says "no", then\nleaves' })], NOW);
    const { body } = await get('events?format=csv');
    for (const text of [
      "'=1+1",
      "'+1",
      "'-1",
      "'@SUM(A1)",
      "'\tx",
      '"\'\rx"',
      '"\'=HYPERLINK(""http://x"")"',
      '"says ""no"", then\nleaves"',
    ])
      expect(body).toContain(`,${text},`);
    expect(csvLine(['a', null, -5])).toBe('a,,-5\r\n');
  });
});

describe('long reading', () => {
  const STEPS = 8;
  beforeEach(() => {
    const entries = Array.from({ length: STEPS * STEP_ENTRIES }, (_, n) =>
      draft(`e${n}`, n % 2 === 0 ? { door: 'd1' } : { door: 'd2', kind: 'command' }),
    );
    rig.store.journal.append(entries, NOW);
  });

  /** Turns of the event loop, in which a badge would be decided, until the work is done. */
  async function turnsOf(work: Promise<unknown>): Promise<number> {
    let turns = 0;
    let done = false;
    const count = () => {
      turns += 1;
      if (!done) setImmediate(count);
    };
    setImmediate(count);
    await work;
    done = true;
    return turns;
  }

  it('gives the event loop a turn after each step of a table', async () => {
    const table = get('events?format=csv');
    expect(await turnsOf(table)).toBeGreaterThanOrEqual(STEPS);
    expect((await table).body.split('\r\n')).toHaveLength(1 + STEPS * STEP_ENTRIES + 1);
  });
  it('also where all is looked at and nothing found', async () => {
    const page = get('events?door=d1&kind=command');
    expect(await turnsOf(page)).toBeGreaterThanOrEqual(STEPS / 2);
    expect((await page).json()).toEqual({ items: [], next: null });
  });
  it('looks each name up once a table', async () => {
    rig.store.journal.append(
      [draft('a', { member: 'ada' }), draft('b', { member: 'gone' }), draft('c', { member: 'ada' })],
      NOW,
    );
    rig.addMember('ada');
    rig.store.journal.append([draft('d', { member: 'gone' })], NOW);
    const looks = vi.spyOn(rig.store.members, 'get');
    expect((await get('events?format=csv')).body).toContain('ada,Name of ada,');
    expect(looks.mock.calls.flat().sort()).toEqual(['ada', 'gone']);
  });
  it('takes one step a turn, however many read', async () => {
    const tables = Array.from({ length: 5 }, () => get('events?format=csv'));
    expect(await turnsOf(Promise.all(tables))).toBeGreaterThanOrEqual(5 * STEPS);
  });
});
