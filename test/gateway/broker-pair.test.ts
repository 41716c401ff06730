import { expect, test } from 'vitest';
import { pair } from '../../gateway/broker/pair.ts';

test('a reader that reads again at once gets nothing new: what follows comes in a later turn, whole and in order', async () => {
  const [gateway, broker] = pair(1_024);
  const read: string[] = [];
  const again: unknown[] = [];
  broker.on('readable', () => {
    const bytes: Buffer | null = broker.read();
    if (bytes === null) return;
    read.push(bytes.toString());
    // aedes does so from within its parser, which does not stand being called again there.
    again.push(broker.read());
  });
  const ended = new Promise((resolve) => broker.once('end', resolve));
  gateway.write('one');
  gateway.cork();
  for (const piece of ['tw', 'o', '']) gateway.write(piece);
  gateway.uncork();
  gateway.end('three');
  await ended;
  expect(read.join('')).toBe('onetwothree');
  expect(again.every((bytes) => bytes === null)).toBe(true);
});
