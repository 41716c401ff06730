/** Appends grants for good and prints each seq once it is durable; run and killed by store-crash.test.ts. */
import fs from 'node:fs';
import { openStore } from '../../gateway/store/store.ts';

const [dir = '', batch = '1'] = process.argv.slice(2);
const store = openStore(dir);
for (let n = 0; ; n += 1) {
  const entries = store.journal.append(
    Array.from({ length: Number(batch) }, (_, i) => ({
      id: `e${n}-${i}`,
      occurredAtMs: Date.now(),
      kind: 'access' as const,
      outcome: 'granted' as const,
      command: `c${n}`,
    })),
    Date.now(),
  );
  fs.writeSync(1, `${entries.at(-1)?.seq}\n`);
  // The head is written beside the appends: it needs a turn of the loop.
  await new Promise(setImmediate);
}
