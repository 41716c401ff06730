/** `bookings`: how bookings open doors, and where those come from that are not made here. */
import { z } from 'zod';
import { amount, whole, words } from './fields.ts';
import { sources } from './sources.ts';

export const bookings = z
  .strictObject({
    earlyMin: amount('Early grace', 'Minutes before a booking from which its door opens.', 0, 240).default(10),
    lateMin: amount('Late grace', 'Minutes after a booking until which its door opens.', 0, 240).default(5),
    entranceEarlyMin: amount(
      'Entrance grace',
      'Minutes before a booking from which common doors open.',
      0,
      720,
    ).default(30),
    maxScheduleAgeH: amount(
      'Schedule age',
      'Hours after which an outside calendar that no longer answers stops granting.',
      1,
      720,
    ).default(36),
    bufferMin: amount(
      'Cleaning buffer',
      'Minutes after each booking into which neither grace reaches; standing rights hold.',
      0,
      240,
    ).default(0),
    noShowAfterMin: amount(
      'No-show after',
      'Minutes after a booking’s start; a room that nobody entered by then is a no-show. Left out, nobody looks.',
      1,
      240,
    ).optional(),
    noShow: z
      .enum(['release', 'flag'])
      .default('flag')
      .meta(
        words({
          title: 'No-show',
          description:
            'What becomes of a no-show: release gives the room free and tells the source, flag only shows it.',
        }),
      ),
    overstayAfterMin: amount(
      'Overstay after',
      'Minutes after a booking’s late grace; a room still occupied then is an overstay. Left out, nobody looks.',
      0,
      240,
    ).optional(),
    horizonDays: whole('Horizon', 'Days ahead for which outside calendars are worked out.', 1, 400).default(60),
    sources,
  })
  .meta(words({ title: 'Bookings', description: 'How bookings open doors.' }));
