/**
 * Is an IP address one of the public internet? Tables: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890),
 * IPv4 multicast (RFC 5771), IPv6 unicast allocations (only `2000::/3` is global unicast today).
 */
import { isIP } from 'node:net';

interface Range4 {
  readonly base: number;
  readonly bits: number;
  readonly name: string;
}
interface Range6 {
  readonly base: readonly number[];
  readonly bits: number;
  readonly name: string;
}

const RANGES_4: readonly Range4[] = [
  range4('0.0.0.0', 8, 'this network'),
  range4('10.0.0.0', 8, 'private, RFC 1918'),
  range4('100.64.0.0', 10, 'shared by a carrier, RFC 6598'),
  range4('127.0.0.0', 8, 'loopback'),
  // A platform's own services answer here from inside a virtual machine, though the address is registered as public.
  range4('168.63.129.16', 32, 'metadata of a cloud'),
  range4('169.254.0.0', 16, 'link-local'),
  range4('172.16.0.0', 12, 'private, RFC 1918'),
  range4('192.0.0.0', 24, 'protocol assignments'),
  range4('192.0.2.0', 24, 'documentation'),
  range4('192.31.196.0', 24, 'AS112'),
  range4('192.52.193.0', 24, 'AMT'),
  range4('192.88.99.0', 24, '6to4 relay'),
  range4('192.168.0.0', 16, 'private, RFC 1918'),
  range4('192.175.48.0', 24, 'AS112'),
  range4('198.18.0.0', 15, 'benchmarks'),
  range4('198.51.100.0', 24, 'documentation'),
  range4('203.0.113.0', 24, 'documentation'),
  range4('224.0.0.0', 4, 'multicast'),
  range4('240.0.0.0', 4, 'reserved'),
];

/** Within `2000::/3`; whatever lies outside of it is not public anyhow. */
const RANGES_6: readonly Range6[] = [
  // Teredo, benchmarks, ORCHID and the like: none of them is where a calendar is served.
  range6('2001::', 23, 'protocol assignments'),
  range6('2001:db8::', 32, 'documentation'),
  // An address in here names an IPv4 host that a relay of one's own may reach, so it can name a private one.
  range6('2002::', 16, '6to4'),
  range6('2620:4f:8000::', 48, 'AS112'),
  range6('3fff::', 20, 'documentation'),
];
/** Names for what is met most outside of `2000::/3`. */
const NAMES_6: readonly Range6[] = [
  range6('::', 128, 'unspecified'),
  range6('::1', 128, 'loopback'),
  range6('64:ff9b:1::', 48, 'local NAT64'),
  range6('100::', 64, 'discard'),
  range6('fc00::', 7, 'unique local'),
  range6('fe80::', 10, 'link-local'),
  range6('fec0::', 10, 'site-local'),
  range6('ff00::', 8, 'multicast'),
];
const GLOBAL_UNICAST = range6('2000::', 3, 'global unicast');
/** IPv4 inside of IPv6: judged by the IPv4 address that they carry in the last 32 bits. */
const CARRIES_4: readonly Range6[] = [
  range6('::ffff:0:0', 96, 'IPv4-mapped'),
  // What DNS64 makes of every IPv4 server in a network without IPv4 (RFC 6052).
  range6('64:ff9b::', 96, 'NAT64'),
];

/** True for an address of the public internet; false for any other and for what is no address. */
export function isPublicAddress(address: string): boolean {
  return rangeOf(address) === undefined;
}

/** The name of the special range that an address lies in; undefined for a public address. Zone ids name a local link. */
export function rangeOf(address: string): string | undefined {
  const family = isIP(address);
  if (family === 4) return rangeOf4(bits4(address));
  if (family !== 6) return 'not an address';
  if (address.includes('%')) return 'link-local';
  const groups = groups6(address);
  const carrier = CARRIES_4.find((range) => inside6(groups, range));
  if (carrier !== undefined) {
    const name = rangeOf4((groups[6] ?? 0) * 0x10000 + (groups[7] ?? 0));
    return name === undefined ? undefined : `${name}, ${carrier.name}`;
  }
  if (!inside6(groups, GLOBAL_UNICAST)) return NAMES_6.find((range) => inside6(groups, range))?.name ?? 'reserved';
  return RANGES_6.find((range) => inside6(groups, range))?.name;
}

function rangeOf4(bits: number): string | undefined {
  return RANGES_4.find((range) => inside4(bits, range))?.name;
}

function inside4(bits: number, range: Range4): boolean {
  const size = 2 ** (32 - range.bits);
  return Math.floor(bits / size) === Math.floor(range.base / size);
}

function inside6(groups: readonly number[], range: Range6): boolean {
  let left = range.bits;
  for (let at = 0; left > 0; at += 1, left -= 16) {
    const shift = Math.max(0, 16 - left);
    if ((groups[at] ?? 0) >> shift !== (range.base[at] ?? 0) >> shift) return false;
  }
  return true;
}

/** @param address dotted decimal, checked by `isIP`. */
function bits4(address: string): number {
  return address.split('.').reduce((bits, part) => bits * 256 + Number(part), 0);
}

/** The eight groups of an IPv6 address without zone id, checked by `isIP`. */
function groups6(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const first = groupsOf(head);
  if (tail === undefined) return first;
  const last = groupsOf(tail);
  return [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
}

function groupsOf(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const bits = bits4(group);
    return [Math.floor(bits / 0x10000), bits % 0x10000];
  });
}

function range4(base: string, bits: number, name: string): Range4 {
  return { base: bits4(base), bits, name };
}

function range6(base: string, bits: number, name: string): Range6 {
  return { base: groups6(base), bits, name };
}
