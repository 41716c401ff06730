import { describe, expect, it } from 'vitest';
import { AlarmBook } from '../../gateway/core/alarms/book.ts';
import type { Alarm } from '../../gateway/core/effects.ts';
import type { Fact } from '../../gateway/core/facts.ts';
import { SETTLE_MS } from '../../gateway/core/step.ts';
import { aSite, at, aWorld, MINUTE, MONDAY } from '../support/records.ts';

const refused = (why: string): Fact => ({ kind: 'system', part: 'telemetry_refused', ok: false, why });
const telemetry = (ok: boolean): Fact => ({ kind: 'system', part: 'telemetry', ok, why: ok ? '' : 'away' });

describe('points that InfluxDB refuses for good', () => {
  it('are one alarm until a person resolves it, with the newest words, whatever becomes of an outage', () => {
    const world = aWorld({ site: aSite({ rooms: [], doors: [], devices: [] }) });
    const live = () => world.state.alarms.live.map(({ kind, text, status }) => `${kind} ${text} ${status}`);
    world.do(refused('1'), MONDAY);
    const [{ id } = { id: '' }] = world.state.alarms.live;
    world.do({ kind: 'alarm_action', alarm: id, action: 'acknowledge', user: 'ann', note: '' }, MONDAY + 1);
    world.do(refused('2'), MONDAY + 2);
    world.do(telemetry(false), MONDAY + 3);
    expect(live()).toEqual(['telemetry_refused 2 acknowledged', 'telemetry away open']);
    world.do(telemetry(true), MONDAY + 4);
    world.do({ kind: 'tick' }, MONDAY + SETTLE_MS);
    expect(live()).toEqual(['telemetry_refused 2 acknowledged']);
    expect(world.state.alarms.live[0]?.id).toBe(id);
    world.do({ kind: 'alarm_action', alarm: id, action: 'resolve', user: 'ann', note: '' }, MONDAY + MINUTE);
    expect(live()).toEqual([]);
    world.do(refused('3'), MONDAY + 2 * MINUTE);
    expect(live()).toEqual(['telemetry_refused 3 open']);
  });

  it('are still one alarm after a restart', () => {
    const before: Alarm = {
      id: 'a1',
      kind: 'telemetry_refused',
      severity: 'warning',
      text: '1',
      status: 'open',
      openedAtMs: MONDAY,
    };
    const changed: Alarm[] = [];
    const book = new AlarmBook([before], (alarm) => changed.push(alarm));
    book.resolveOrphans(at(MONDAY + 1));
    book.raise({ kind: 'telemetry_refused', severity: 'warning', text: '2' }, at(MONDAY + 2), 'a2');
    expect(book.live).toEqual([{ ...before, text: '2' }]);
    expect(changed).toEqual([{ ...before, text: '2' }]);
  });
});
