/** Throw-away certificates for test servers, made by openssl. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificate {
  readonly key: string;
  /** It signs itself, so it is its own authority. */
  readonly cert: string;
}

export interface CertificateOptions {
  /** subjectAltName; 127.0.0.1 and localhost unless given. */
  readonly names?: string | undefined;
  /** Valid in 2020 only. */
  readonly expired?: boolean | undefined;
}

export function makeCertificate(options: CertificateOptions = {}): Certificate {
  const folder = mkdtempSync(join(tmpdir(), 'doorward-tls-'));
  const key = join(folder, 'key.pem');
  const cert = join(folder, 'cert.pem');
  try {
    const names = options.names ?? 'IP:127.0.0.1,DNS:localhost';
    const request = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-subj',
      '/CN=doorward test',
    ];
    if (options.expired === true) {
      openssl(['req', ...request, '-keyout', key, '-out', join(folder, 'request.pem')], folder);
      signExpired(folder, names);
    } else {
      const extension = ['-addext', `subjectAltName=${names}`, '-days', '2'];
      openssl(['req', '-x509', ...request, ...extension, '-keyout', key, '-out', cert], folder);
    }
    return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Only the small authority of openssl takes dates in all its versions. */
function signExpired(folder: string, names: string): void {
  const settings = [
    ...[
      '[ca]',
      'default_ca=self',
      '[self]',
      'database=database',
      'new_certs_dir=.',
      'serial=serial',
      'default_md=sha256',
    ],
    ...['policy=names', '[names]', 'commonName=supplied', '[extensions]', `subjectAltName=${names}`, ''],
  ];
  writeFileSync(join(folder, 'settings'), settings.join('\n'));
  writeFileSync(join(folder, 'database'), '');
  writeFileSync(join(folder, 'serial'), '01\n');
  const dates = ['-startdate', '20200101000000Z', '-enddate', '20200102000000Z'];
  const files = ['-config', 'settings', '-extensions', 'extensions', '-in', 'request.pem', '-keyfile', 'key.pem'];
  openssl(['ca', '-batch', '-selfsign', '-notext', ...files, '-out', 'cert.pem', ...dates], folder);
}

function openssl(args: readonly string[], folder: string): void {
  try {
    execFileSync('openssl', args, { stdio: 'pipe', cwd: folder });
  } catch (error) {
    const { stderr } = error as { stderr?: Buffer };
    throw new Error(`openssl failed; install it with: apt-get install openssl\n${stderr?.toString() ?? String(error)}`);
  }
}
