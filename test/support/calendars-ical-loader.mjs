// Lets a worker thread on a Node without TypeScript run the sources: `--import` it. Each file is compiled when it is asked
// for, so that what runs is what is written.
import { register } from 'node:module';

register(new URL('./calendars-ical-hooks.mjs', import.meta.url));
