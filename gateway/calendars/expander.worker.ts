/** The worker thread of {@link Expander}: reads calendars, hands over what they come to in portions. */
import { parentPort } from 'node:worker_threads';
import { expandAll, type Outcome } from './expand.ts';
import { type FromWorker, PORTION, type ToWorker } from './expander.messages.ts';
import type { CalendarObject, ExpandRequest } from './types.ts';

const port = parentPort;
if (port === null) throw new Error('This file is run by the Expander as a worker thread.');

let asked: Pick<ExpandRequest, 'siteZone' | 'fromMs' | 'toMs'> | undefined;
let objects: CalendarObject[] = [];
/** Bodies come in pieces, so that handing over a large one does not hold up the main thread. */
let pieces: string[] = [];
let outcome: Outcome | undefined;
let sent = 0;

const say = (message: FromWorker) => port.postMessage(message);

port.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'begin':
      asked = message.asked;
      [objects, pieces, outcome, sent] = [[], [], undefined, 0];
      break;
    case 'piece':
      pieces.push(message.text);
      break;
    case 'object':
      objects.push({ ...message.object, body: pieces.length === 1 ? (pieces[0] ?? '') : pieces.join('') });
      pieces = [];
      break;
    case 'small':
      objects.push(...message.objects);
      break;
    case 'run':
      if (asked === undefined) throw new Error('A request was run that never began.');
      outcome = expandAll({ ...asked, objects });
      objects = [];
      hand();
      break;
    case 'next':
      hand();
      break;
  }
});

/** One portion at a time: the main thread asks for the next when it has had a turn for other work. */
function hand(): void {
  if (outcome === undefined) return;
  if ('fault' in outcome) {
    say({ type: 'fault', fault: outcome.fault, why: outcome.why });
    outcome = undefined;
    return;
  }
  const { occurrences, setAside, events } = outcome;
  if (sent < occurrences.length) {
    say({ type: 'occurrences', occurrences: occurrences.slice(sent, sent + PORTION) });
    sent += PORTION;
    return;
  }
  const from = sent - Math.ceil(occurrences.length / PORTION) * PORTION;
  say({
    type: 'setAside',
    setAside: setAside.slice(from, from + PORTION),
    events,
    last: from + PORTION >= setAside.length,
  });
  sent += PORTION;
}
