/** Whatever changes on the server and whatever goes wrong on the way: after good looks the mirror is the server. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { caldavSource } from '../../../gateway/calendars/sources/caldav.ts';
import type { CalendarSource, Polled } from '../../../gateway/calendars/types.ts';
import { type Answer, type Asked, DavServer } from '../../support/calendars-caldav-server.ts';

let server: DavServer;
beforeAll(async () => {
  server = await new DavServer().listen();
});
afterAll(() => server.close());

const ROOMS = ['r1', 'r2', 'r3'];
const NAMES = ['a', 'b.ics', 'c%20d', '%C3%A9'];
const room = fc.constantFrom(...ROOMS);
const name = fc.constantFrom(...NAMES);

/** What can go wrong with one exchange. */
const FAULTS: Readonly<Record<string, (asked: Asked, answer: () => Answer) => Answer | 'drop' | undefined>> = {
  fault: () => ({ status: 500 }),
  busy: () => ({ status: 503 }),
  forbidden: () => ({ status: 403 }),
  missing: () => ({ status: 404 }),
  drop: () => 'drop',
  garbage: () => ({ status: 207, body: '<html>' }),
  halved: (_, answer) => changed(answer(), (body) => body.slice(0, body.length / 2)),
  /** A multiget that leaves one out, a listing without one calendar: well-formed, and not all there is. */
  leftOut: ({ body, path }, answer) =>
    body.includes('calendar-multiget') || path === '/cal/'
      ? changed(answer(), (text) => text.replace(/<D:response><D:href>\/cal\/r.*?<\/D:response>/s, ''))
      : undefined,
  stale: ({ body }) =>
    body.includes('sync-level') && body.includes('urn:t:')
      ? { status: 410, body: server.wrap('error', '<D:valid-sync-token/>') }
      : undefined,
};
function changed(answer: Answer, change: (body: string) => string): Answer {
  return { ...answer, body: change(answer.body ?? '') };
}

/** Sorts of exchanges. */
const SORTS: Readonly<Record<string, (asked: Asked) => boolean>> = {
  any: () => true,
  home: ({ path }) => path === '/cal/',
  sync: ({ body }) => body.includes('sync-level'),
  etags: ({ method, path, headers }) => method === 'PROPFIND' && path.startsWith('/cal/r') && headers.depth === '1',
  bodies: ({ method, body }) => method === 'GET' || body.includes('calendar-multiget'),
};

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('put' as const), room, name }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), room, name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop room' as const), room }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), room }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('hours' as const), hours: fc.integer({ min: 1, max: 30 }) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('look' as const),
      faults: fc.array(
        fc.record({
          /** Which of the exchanges of this sort, 0 for the first; several in a row from there. */
          on: fc.constantFrom(...Object.keys(SORTS)),
          from: fc.nat({ max: 2 }),
          count: fc.integer({ min: 1, max: 3 }),
          fault: fc.constantFrom(...Object.keys(FAULTS)),
        }),
        { maxLength: 3 },
      ),
      /** A change in the middle of the look, before so many exchanges. */
      meanwhile: fc.option(fc.record({ room, name, at: fc.integer({ min: 1, max: 8 }), gone: fc.boolean() })),
      /** The gateway starts anew. */
      restart: fc.boolean(),
    }),
  },
);

const manners = fc.record({
  sync: fc.boolean(),
  ctag: fc.boolean(),
  tokenInListing: fc.boolean(),
  multiget: fc.boolean(),
  pageSize: fc.constantFrom(1, 2, 1_000),
  staleStatus: fc.constantFrom(403, 409, 410),
});

class World {
  readonly held = new Map<string, string>();
  private cursor: string | undefined;
  private source: CalendarSource;
  nowMs = Date.UTC(2026, 0, 1);
  private version = 0;

  constructor() {
    this.source = this.start();
  }
  start(): CalendarSource {
    this.source = caldavSource(
      {
        id: 'dav',
        kind: 'caldav',
        url: server.url,
        everyMs: 60_000,
        priority: 1,
        rooms: { by: 'calendar', map: {} },
        holder: { by: 'attendee' },
        holdPolls: 3,
        writeReleases: false,
        http: { allowHttp: true, allowPrivate: true, timeoutMs: 5_000, maxBytes: 1_000_000 },
      },
      { now: () => this.nowMs },
    );
    return this.source;
  }
  put(id: string, what: string): void {
    server.put(id, what, `${id}/${what} version ${++this.version}`);
  }

  async look(): Promise<Polled> {
    this.nowMs += 60_000;
    const answer = await this.source.poll(this.cursor, AbortSignal.timeout(20_000));
    if (answer.kind === 'snapshot') {
      const kept = answer.partial?.collections ?? [];
      for (const href of [...this.held.keys()]) if (!kept.some((one) => href.startsWith(one))) this.held.delete(href);
      for (const { href, body } of answer.objects) this.held.set(href, body);
    } else if (answer.kind === 'delta') {
      for (const href of answer.removed) this.held.delete(href);
      for (const { href, body } of answer.changed) this.held.set(href, body);
    }
    if (answer.kind === 'snapshot' || answer.kind === 'delta') this.cursor = answer.cursor;
    return answer;
  }
}

async function play(world: World, steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[]) {
  for (const one of steps) {
    if (one.do === 'put') world.put(one.room, one.name);
    else if (one.do === 'delete') server.remove(one.room, one.name);
    else if (one.do === 'drop room') server.calendars.delete(one.room);
    else if (one.do === 'forget') server.forgetTokens(one.room);
    else if (one.do === 'hours') world.nowMs += one.hours * 3_600_000;
    else {
      if (one.restart) world.start();
      let exchange = 0;
      const seen: number[] = [];
      server.meddle = (asked, answer) => {
        exchange++;
        const fault = one.faults.find(({ on, from, count }, index) => {
          if (SORTS[on]?.(asked) !== true) return false;
          const nth = seen[index] ?? 0;
          seen[index] = nth + 1;
          return nth >= from && nth < from + count;
        })?.fault;
        const { meanwhile } = one;
        if (meanwhile !== null && meanwhile.at === exchange) {
          if (meanwhile.gone) server.remove(meanwhile.room, meanwhile.name);
          else world.put(meanwhile.room, meanwhile.name);
        }
        return fault === undefined ? undefined : FAULTS[fault]?.(asked, answer);
      };
      await world.look();
      server.meddle = undefined;
    }
  }
}

describe('a history of changes and faults', () => {
  it('never loses a change: after good looks the mirror is the server', async () => {
    await fc.assert(
      fc.asyncProperty(manners, fc.array(step, { minLength: 1, maxLength: 25 }), async (how, steps) => {
        server.reset();
        Object.assign(server.manners, how);
        for (const id of ROOMS) server.add(id);
        const world = new World();
        await play(world, steps);
        const answer = await world.look();
        expect(answer.kind).not.toBe('failed');
        expect(world.held).toEqual(server.contents());
        // And nothing is left over that a later look would bring.
        for (let round = 0; round < 3; round++) await world.look();
        expect(world.held).toEqual(server.contents());
        world.nowMs += 25 * 3_600_000;
        await world.look();
        expect(world.held).toEqual(server.contents());
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
