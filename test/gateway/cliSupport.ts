/** The command line as a person has it: what comes out, and how to end a command that runs on. */
import { Readable } from 'node:stream';
import type { Io } from '../../gateway/cli/io.ts';
import { run } from '../../gateway/cli.ts';

export interface Session {
  readonly code: Promise<number>;
  readonly out: () => string;
  readonly err: () => string;
  /** Ctrl-C. */
  end(): void;
  /** SIGHUP. */
  reload(): void;
}

export function begin(argv: readonly string[], env: Io['env'] = {}, stdin = ''): Session {
  let out = '';
  let err = '';
  let end = (_signal: string) => {};
  let reload = () => {};
  const ended = new Promise<string>((resolve) => {
    end = resolve;
  });
  const io: Io = {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    stdin: Readable.from(stdin === '' ? [] : [Buffer.from(stdin)]),
    env,
    errIsTty: false,
    ended: () => ended,
    onReload: (act) => {
      reload = act;
    },
  };
  return {
    code: run(argv, io),
    out: () => out,
    err: () => err,
    end: () => end('SIGINT'),
    reload: () => reload(),
  };
}

export async function doorward(argv: readonly string[], env: Io['env'] = {}, stdin = '') {
  const session = begin(argv, env, stdin);
  const code = await session.code;
  return { code, out: session.out(), err: session.err() };
}
