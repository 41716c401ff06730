/** Cards and log-ins of the fixture clinic. */
import type { Credential, UnknownCard } from '../../gateway/wire/clinic.ts';
import type { RefusedLogin } from '../../gateway/wire/rooms.ts';
import { at, MEMBERS, MIN } from './fixtures-data.ts';

export const credentialsOf = (): Credential[] =>
  MEMBERS.slice(0, 5).map((member, index) => ({
    id: `k-${member.id}`,
    member: member.id,
    format: 'uid',
    last4: `5E8${index}`,
    status: 'active',
    validFrom: null,
    validUntil: null,
  }));

export const unknownCardsOf = (nowMs: number): UnknownCard[] => [
  {
    id: 'u-1',
    reader: 'reader-entrance/reader',
    door: 'entrance',
    format: 'uid',
    last4: '77A1',
    seenAt: at(nowMs - 3 * MIN),
  },
  {
    id: 'u-2',
    reader: 'reader-consult-2/reader',
    door: 'consult-2-door',
    format: 'bits',
    last4: '19C4',
    seenAt: at(nowMs - 50 * MIN),
  },
];

export const refusedLoginsOf = (nowMs: number): RefusedLogin[] => [
  {
    at: at(nowMs - 12 * MIN),
    clientId: 'lock-consult-9',
    username: 'lock-consult-9',
    address: '192.168.4.71',
    reason: 'The configuration knows no such device.',
  },
];
