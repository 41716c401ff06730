/** `bookings.sources[]`: the outside calendars whose bookings open doors. What each kind needs is in `sourceChecks.ts`. */
import { z } from 'zod';
import { amount, id, secret, text, whole, words } from './fields.ts';

export const SOURCE_KINDS = ['ics', 'caldav', 'webhook', 'fhir'] as const;
export const WEBHOOK_PRESETS = ['doorward', 'officernd', 'nexudus', 'calcom', 'cobot'] as const;
export const MAX_SOURCES = 1_100;
const LABEL_MAX = 400;
const URL_MAX = 2_000;

function address(title: string, description: string, example: string) {
  return z
    .string()
    .min(1)
    .max(URL_MAX)
    .meta(words({ title, description, examples: [example] }));
}

/** A header's name, RFC 9110 §5.6.2. */
function header(title: string, description: string, example: string) {
  return z
    .string()
    .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/)
    .meta(words({ title, description, examples: [example] }));
}

const roomMap = z.strictObject({
  by: z.enum(['calendar', 'location', 'resources', 'attendee']).meta(
    words({
      title: 'By',
      description:
        'What names the room: the calendar it lies in (its path or display name), LOCATION, RESOURCES, or the mail address of an invited room.',
    }),
  ),
  map: z.record(z.string().min(1).max(LABEL_MAX), z.string()).meta(
    words({
      title: 'Map',
      description: 'Label → room id; `*` stands for every label. Labels are compared without case.',
    }),
  ),
});

const holder = z
  .strictObject({
    by: z
      .enum(['attendee', 'organizer', 'template', 'member'])
      .default('attendee')
      .meta(
        words({
          title: 'By',
          description:
            'Whose booking it is: the first attendee who is a member (else the organizer), the organizer, who the text names, or always one member.',
        }),
      ),
    template: text(
      'Template',
      'For `template`: the text with {member} for an id, address or exact name; * is any text.',
      '{member} - *',
    ).optional(),
    field: z
      .enum(['summary', 'location'])
      .optional()
      .meta(words({ title: 'Field', description: 'For `template`: which text it is; `summary` unless set.' })),
    member: text('Member', 'For `member`: id, address or exact name.', 'm-anna').optional(),
  })
  .meta(words({ title: 'Holder', description: 'Who holds the booking; other members invited are delegates.' }));

export const source = z.strictObject({
  id: id('sources', 'practice'),
  kind: z.enum(SOURCE_KINDS).meta(
    words({
      title: 'Kind',
      description: 'An ICS feed, a CalDAV server, a signed webhook, or FHIR R4 Appointments.',
      examples: ['ics'],
    }),
  ),
  url: address(
    'URL',
    'Feed, CalDAV server or calendar, FHIR base, or where a webhook’s bookings are fetched anew. A secret address is set by reference.',
    'https://calendar.example/room-1.ics',
  ).optional(),
  rooms: z.union([z.string(), roomMap]).meta(
    words({
      title: 'Rooms',
      description: 'A room id: the whole source is that room. Or {by, map}: how events name rooms.',
      examples: ['consult-1'],
    }),
  ),
  holder: holder.prefault({}),
  everyMin: amount('Every', 'Minutes between two looks.', 0.1, 1_440).default(5),
  priority: whole('Priority', 'When two sources tell of one booking, the higher counts.', -1_000, 1_000).default(0),
  username: text('User name', 'For HTTP Basic authentication.', 'doorward').optional(),
  password: secret('Password', 'CALENDAR_PASSWORD').optional(),
  bearer: secret('Bearer token', 'CALENDAR_TOKEN').optional(),
  allowHttp: z
    .boolean()
    .default(false)
    .meta(words({ title: 'Allow http', description: 'Without it plain http is refused: anybody could forge it.' })),
  allowPrivate: z
    .boolean()
    .default(false)
    .meta(
      words({
        title: 'Allow private addresses',
        description: 'Without it addresses of the own network are refused, so that a link cannot reach into it.',
      }),
    ),
  timeoutS: amount('Time-out', 'Seconds that one answer may take.', 1, 300).default(30),
  maxMb: amount('Size', 'Megabytes that one answer may have.', 0.1, 100).default(20),
  holdPolls: whole(
    'Hold',
    'An empty answer, or one that lost over half, is believed after so many equal looks; 0 never waits.',
    0,
    1_000,
  ).default(3),
  writeReleases: z
    .boolean()
    .default(false)
    .meta(words({ title: 'Write releases', description: 'CalDAV: a released no-show is written back as cancelled.' })),
  releaseUrl: address(
    'Release URL',
    'Where a released no-show is told by POST.',
    'https://booking.example/doorward/released',
  ).optional(),
  releaseSecret: secret('Release secret', 'RELEASE_SECRET').optional(),
  preset: z
    .enum(WEBHOOK_PRESETS)
    .optional()
    .meta(words({ title: 'Preset', description: 'Webhook: whose messages they are; `doorward` is our own form.' })),
  secret: secret('Secret', 'WEBHOOK_SECRET').optional(),
  signatureHeader: header(
    'Signature header',
    'Webhook: carries the HMAC-SHA256; the preset’s own unless set.',
    'X-Signature',
  ).optional(),
  timestampHeader: header(
    'Timestamp header',
    'Webhook: carries the time that is signed too; the preset’s own unless set.',
    'X-Timestamp',
  ).optional(),
  toleranceS: amount('Tolerance', 'Webhook: seconds by which a message’s time may be off.', 5, 3_600).default(300),
});

export const sources = z
  .array(source)
  .max(MAX_SOURCES)
  .default([])
  .meta(words({ title: 'Sources', description: 'Outside calendars whose bookings open doors.' }));

export type SourceConfig = z.output<typeof source>;
