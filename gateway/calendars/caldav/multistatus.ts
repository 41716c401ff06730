/** Reads a multistatus answer (RFC 4918 §13), as it is, into plain data. */
import { dav } from './requests.ts';
import { childOf, childrenOf, isXmlFault, readXml, textOf, type XmlElement, type XmlFault } from './xml.ts';

export interface DavResponse {
  /** As the server wrote it. */
  readonly href: string;
  /** Of the resource as a whole; undefined where its properties have theirs. */
  readonly status: number | undefined;
  /** Properties that were found (2xx), by Clark name. */
  readonly found: ReadonlyMap<string, XmlElement>;
  /** Statuses of properties that were not. */
  readonly missing: ReadonlyMap<string, number>;
  /** Names within DAV:error. */
  readonly errors: readonly string[];
}
export interface Multistatus {
  readonly responses: readonly DavResponse[];
  readonly syncToken: string | undefined;
}

/** Status lines are `HTTP/1.1 200 OK`. */
const STATUS_LINE = /^HTTP\/\d(?:\.\d)?\s+(\d{3})(?:\s|$)/i;
const CHARSET = /charset\s*=\s*"?([\w.:-]+)/i;
const DECLARED = /^<\?xml[^>]{0,100}?encoding\s*=\s*["']([\w.:-]+)["']/i;

/** Bytes to text by Content-Type, else by the XML declaration, else UTF-8; undefined when they are not what they claim. */
export function decodeXml(body: Buffer, contentType: string | undefined): string | undefined {
  const wide = body.length >= 2 && (body.readUInt16BE(0) === 0xfeff || body.readUInt16BE(0) === 0xfffe);
  const declared = DECLARED.exec(body.subarray(0, 200).toString('latin1').replace(/^ï»¿/, ''))?.[1];
  const charset = wide ? 'utf-16' : (CHARSET.exec(contentType ?? '')?.[1] ?? declared ?? 'utf-8');
  const label = wide && body[0] === 0xfe ? 'utf-16be' : wide ? 'utf-16le' : charset;
  try {
    return new TextDecoder(label, { fatal: true }).decode(body);
  } catch {
    return undefined;
  }
}

/** Never throws: what is no multistatus is a fault. */
export async function readMultistatus(source: string): Promise<Multistatus | XmlFault> {
  const root = await readXml(source);
  if (isXmlFault(root)) return root;
  if (root.name !== dav('multistatus')) return { fault: 'it is no multistatus' };
  const responses: DavResponse[] = [];
  for (const element of childrenOf(root, dav('response'))) {
    const read = readResponse(element);
    if ('fault' in read) return read;
    for (const response of read) responses.push(response);
  }
  return { responses, syncToken: textOf(root, dav('sync-token')) };
}

/** One response may speak of several hrefs when it has a status of its own. */
function readResponse(element: XmlElement): readonly DavResponse[] | XmlFault {
  const hrefs = childrenOf(element, dav('href')).map(({ text }) => text.trim());
  if (hrefs.length === 0 || hrefs.includes('')) return { fault: 'a response has no href' };
  const found = new Map<string, XmlElement>();
  const missing = new Map<string, number>();
  const propstats = childrenOf(element, dav('propstat'));
  for (const propstat of propstats) {
    const status = statusOf(propstat);
    if (status === undefined) return { fault: 'a propstat has no status' };
    for (const property of childOf(propstat, dav('prop'))?.children ?? []) {
      if (status >= 200 && status < 300) found.set(property.name, property);
      else missing.set(property.name, status);
    }
  }
  const status = statusOf(element);
  if (status === undefined && propstats.length === 0) return { fault: 'a response has no status' };
  const errors = childOf(element, dav('error'))?.children.map(({ name }) => name) ?? [];
  return hrefs.map((href) => ({ href, status, found, missing, errors }));
}

function statusOf(element: XmlElement): number | undefined {
  const status = STATUS_LINE.exec(textOf(element, dav('status')) ?? '')?.[1];
  return status === undefined ? undefined : Number(status);
}

/** Names within the DAV:error that a refused request is answered with (RFC 4918 §16); empty when there is none. */
export async function readErrors(source: string): Promise<readonly string[]> {
  const root = await readXml(source);
  if (isXmlFault(root) || root.name !== dav('error')) return [];
  return root.children.map(({ name }) => name);
}
