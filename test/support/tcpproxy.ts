/** A cable that can be pulled: a TCP proxy on 127.0.0.1 that is cut, or that swallows bytes while it stays connected. */
import { connect, createServer, type Socket } from 'node:net';

export interface Cable {
  readonly port: number;
  /** Ends every connection and takes no new one until `mend`. */
  cut(): void;
  mend(): void;
  /** From now on what the client sends is held, as by a network that has gone silent. */
  hold(): void;
  close(): Promise<void>;
}

export async function startCable(targetPort: number): Promise<Cable> {
  const open = new Set<Socket>();
  let broken = false;
  let held = false;
  const server = createServer((near) => {
    if (broken) {
      near.destroy();
      return;
    }
    const far = connect(targetPort, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      open.add(from);
      from.on('error', () => {});
      from.on('close', () => {
        open.delete(from);
        to.destroy();
      });
    }
    near.on('data', (bytes) => {
      if (!held) far.write(bytes);
    });
    far.on('data', (bytes) => near.write(bytes));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = (): void => {
    broken = true;
    held = false;
    for (const socket of open) socket.destroy();
  };
  return {
    port: address.port,
    cut,
    mend: () => {
      broken = false;
    },
    hold: () => {
      held = true;
    },
    close: async () => {
      cut();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
