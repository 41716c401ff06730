/** `npm run bench [-- PART …]`: every figure, its target beside it. */
import { benchCaldav } from './caldav.ts';
import { benchCalendars } from './calendars.ts';
import { benchCore } from './core.ts';
import { benchDashboard } from './dashboard.ts';
import { benchDrain } from './drain.ts';
import { benchLatency } from './latency.ts';
import { benchMemory } from './memory.ts';
import { progress } from './report.ts';
import { benchThroughput } from './throughput.ts';

const PARTS: Readonly<Record<string, () => void | Promise<void>>> = {
  core: benchCore,
  latency: benchLatency,
  throughput: benchThroughput,
  memory: benchMemory,
  drain: benchDrain,
  dashboard: benchDashboard,
  calendars: benchCalendars,
  caldav: benchCaldav,
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(', ')}. Parts: ${Object.keys(PARTS).join(', ')}.`);
  process.exit(2);
}
for (const [name, bench] of Object.entries(PARTS)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const began = performance.now();
  await bench();
  progress(`${name} took ${((performance.now() - began) / 1000).toFixed(0)} s`);
}
process.exit(0);
