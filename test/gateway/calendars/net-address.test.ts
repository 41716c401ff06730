import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPublicAddress, rangeOf } from '../../../gateway/calendars/net/address.ts';

/** IANA's registries as ranges, judged by Node's own matcher: nothing here is shared with the code under test. */
const SPECIAL_4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24', '192.168.0.0/16', '192.175.48.0/24'],
  ...['198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4', '168.63.129.16/32'],
];
const SPECIAL_6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'];

function blockList(ranges: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [base = '', bits = ''] = range.split('/');
    list.addSubnet(base, Number(bits), family);
  }
  return list;
}
const special4 = blockList(SPECIAL_4, 'ipv4');
const special6 = blockList(SPECIAL_6, 'ipv6');
const unicast6 = blockList(['2000::/3'], 'ipv6');

const v4 = fc.oneof(
  fc.ipV4(),
  // Close to the edges of the ranges.
  fc.constantFrom(...SPECIAL_4).chain((range) => {
    const [base = '', bits = ''] = range.split('/');
    const from = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
    const size = 2 ** (32 - Number(bits));
    return fc
      .constantFrom(from - 1, from, from + 1, from + size - 1, from + size)
      .map((at) => dotted((at + 2 ** 32) % 2 ** 32));
  }),
);
function dotted(bits: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(bits / 2 ** shift) % 256).join('.');
}
const v6 = fc.oneof(
  fc.ipV6(),
  fc
    .tuple(
      fc.constantFrom(
        '2001:',
        '2001:1ff:',
        '2001:200:',
        '2001:db8:',
        '2001:db9:',
        '2002:',
        '2003:',
        '3fff:',
        '3fff:fff:',
        '3fff:1000:',
        '2a00:',
      ),
      fc.integer({ min: 0, max: 0xffff }),
    )
    .map(([head, tail]) => `${head}:${tail.toString(16)}`),
);

describe('public addresses', () => {
  it.each([
    ...[
      '1.1.1.1',
      '8.8.8.8',
      '93.184.215.14',
      '172.15.255.255',
      '172.32.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '223.255.255.255',
    ],
    ...['2606:4700:4700::1111', '2a00:1450:4001:80b::200e', '2003::1', '2001:200::1'],
    // An IPv4 server seen through DNS64, and in the mapped form.
    ...['64:ff9b::8.8.8.8', '64:ff9b::808:808', '::ffff:8.8.8.8', '::ffff:808:808'],
  ])('%s is public', (address) => {
    expect(rangeOf(address)).toBeUndefined();
    expect(isPublicAddress(address)).toBe(true);
  });

  it.each([
    ['0.0.0.0', 'this network'],
    ['10.1.2.3', 'private, RFC 1918'],
    ['100.100.100.200', 'shared by a carrier, RFC 6598'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['169.254.169.254', 'link-local'],
    ['172.31.255.255', 'private, RFC 1918'],
    ['192.168.178.1', 'private, RFC 1918'],
    ['198.19.0.1', 'benchmarks'],
    ['203.0.113.9', 'documentation'],
    ['224.0.0.251', 'multicast'],
    ['255.255.255.255', 'reserved'],
    ['168.63.129.16', 'metadata of a cloud'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['::127.0.0.1', 'reserved'],
    ['::ffff:127.0.0.1', 'loopback, IPv4-mapped'],
    ['::ffff:7f00:1', 'loopback, IPv4-mapped'],
    ['::FFFF:169.254.169.254', 'link-local, IPv4-mapped'],
    ['64:ff9b::10.0.0.1', 'private, RFC 1918, NAT64'],
    ['64:ff9b::a00:1', 'private, RFC 1918, NAT64'],
    ['64:ff9b:1::8.8.8.8', 'local NAT64'],
    ['100::1', 'discard'],
    ['2001::1', 'protocol assignments'],
    ['2001:0:4136:e378:8000:63bf:3fff:fdd2', 'protocol assignments'],
    ['2001:db8::1', 'documentation'],
    ['2002:7f00:1::', '6to4'],
    ['3fff::1', 'documentation'],
    ['fd00:ec2::254', 'unique local'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['2606:4700:4700::1111%eth0', 'link-local'],
    ['fec0::1', 'site-local'],
    ['ff02::1', 'multicast'],
    ['4000::1', 'reserved'],
    ['5f00::1', 'reserved'],
  ])('%s is not: %s', (address, range) => {
    expect(rangeOf(address)).toBe(range);
    expect(isPublicAddress(address)).toBe(false);
  });

  it.each(['', 'localhost', '127.1', '0x7f000001', '2130706433', '010.0.0.1', '[::1]', '1.1.1.1 ', 'fe80::g'])(
    'what is no address is not public: "%s"',
    (text) => {
      expect(isPublicAddress(text)).toBe(false);
    },
  );

  it('agrees with the registries on any IPv4 address, in its mapped and NAT64 forms too', () => {
    fc.assert(
      fc.property(v4, (address) => {
        const expected = !special4.check(address, 'ipv4');
        expect(isPublicAddress(address)).toBe(expected);
        expect(isPublicAddress(`::ffff:${address}`)).toBe(expected);
        expect(isPublicAddress(`64:ff9b::${address}`)).toBe(expected);
        expect(isPublicAddress(`::${address}`)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it('agrees with the registries on any IPv6 address', () => {
    fc.assert(
      fc.property(v6, (address) => {
        fc.pre(
          isIP(address) === 6 &&
            !address.toLowerCase().startsWith('::ffff') &&
            !address.toLowerCase().startsWith('64:ff9b'),
        );
        const expected = unicast6.check(address, 'ipv6') && !special6.check(address, 'ipv6');
        expect(isPublicAddress(address)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('reads every notation of one IPv6 address alike', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 8, maxLength: 8 }), (groups) => {
        const plain = groups.map((group) => group.toString(16)).join(':');
        const shortened = new URL(`http://[${plain}]/`).hostname.slice(1, -1);
        const long = groups.map((group) => group.toString(16).toUpperCase().padStart(4, '0')).join(':');
        expect(rangeOf(shortened)).toBe(rangeOf(plain));
        expect(rangeOf(long)).toBe(rangeOf(plain));
      }),
    );
  });
});
