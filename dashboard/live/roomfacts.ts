import type { Room } from '../../gateway/wire/rooms.ts';
import { degrees } from './tile.ts';
import { ago, ms, span } from './time.ts';
import { MODE_WORDS } from './words.ts';

interface Fact {
  readonly name: string;
  readonly value: string;
  readonly age?: string | undefined;
}

const old = (at: string | null, nowMs: number): string => (at === null ? 'age not known' : ago(ms(at), nowMs));
const relay = (on: boolean | null): string => (on === null ? 'not reported' : on ? 'on' : 'off');

export function presenceFacts(room: Room, nowMs: number): Fact[] {
  const { occupancy } = room;
  const words = { occupied: 'Occupied', vacant: 'Vacant', unknown: 'Not known' };
  const facts: Fact[] = [
    {
      name: 'State',
      value: words[occupancy.state],
      age: `for ${span(nowMs - ms(occupancy.since))}`,
    },
    { name: 'How sure', value: `${Math.round(occupancy.confidence * 100)} %` },
    {
      name: 'Last sign of presence',
      value: occupancy.lastSeen === null ? 'none yet' : ago(ms(occupancy.lastSeen), nowMs),
    },
  ];
  if (occupancy.people !== null) facts.push({ name: 'People', value: String(occupancy.people) });
  return facts;
}

export function climateFacts(room: Room, nowMs: number): Fact[] {
  const { climate } = room;
  if (!climate) return [];
  const facts: Fact[] = [
    { name: 'Temperature', value: degrees(climate.temperature), age: old(climate.temperatureAt, nowMs) },
    { name: 'Mode', value: MODE_WORDS[climate.mode] ?? climate.mode },
    { name: 'Heat to / cool to', value: `${degrees(climate.heatingSetpoint)} / ${degrees(climate.coolingSetpoint)}` },
    { name: 'Heating', value: relay(climate.heating) },
  ];
  if (climate.cooling !== null) facts.push({ name: 'Cooling', value: relay(climate.cooling) });
  if (climate.humidity !== null) facts.push({ name: 'Humidity', value: `${Math.round(climate.humidity)} %` });
  if (climate.co2 !== null) facts.push({ name: 'CO₂', value: `${Math.round(climate.co2)} ppm` });
  return facts;
}

export function lightFacts(room: Room, nowMs: number): Fact[] {
  const { lights } = room;
  if (!lights) return [];
  const level = lights.level === null ? 'not reported' : lights.level === 0 ? 'off' : `${Math.round(lights.level)} %`;
  const asked = lights.target === 0 ? 'off' : `${Math.round(lights.target)} %`;
  const facts: Fact[] = [
    { name: 'Reported', value: level, age: ago(ms(room.updatedAt), nowMs) },
    { name: 'Asked for', value: asked },
  ];
  if (lights.warning) facts.push({ name: 'Notice', value: 'dimmed: about to go off' });
  return facts;
}
