/**
 * The one schema of the configuration file: types, defaults, words for people and the JSON Schema for editors come
 * out of it. Drivers add the keys of their devices (`drivers.ts`). Sources of the defaults: FACTS 1, 3 and 4, that is
 * ASHRAE Guideline 36 (setpoints), ASHRAE 90.1 (lights off within 20 min) and the practice of door alarms.
 */
import { z } from 'zod';
import { bookings } from './bookings.ts';
import {
  amount,
  binding,
  file,
  host,
  id,
  label,
  port,
  ROOM_KINDS,
  secret,
  text,
  timeOfDay,
  WEEKDAYS,
  whole,
  words,
} from './fields.ts';

const weeklyTimes = z.strictObject({
  days: z
    .array(z.enum(WEEKDAYS))
    .min(1)
    .max(7)
    .meta(words({ title: 'Days', description: 'Days on which the time begins.' })),
  from: timeOfDay('From', '07:00'),
  to: timeOfDay('To', '20:00').meta({ description: 'HH:MM; at or before `from` it ends on the next day.' }),
});

const site = z
  .strictObject({
    id: id('sites of a broker', 'harbour-street'),
    name: label('Name', 'Harbour Street Clinic'),
    timeZone: z.string().meta(
      words({
        title: 'Time zone',
        description: 'IANA name of the building’s time zone.',
        examples: ['Europe/Berlin'],
      }),
    ),
    openHours: z
      .array(weeklyTimes)
      .max(50)
      .default([])
      .meta(words({ title: 'Open hours', description: 'When the clinic is open; the base of its utilisation.' })),
  })
  .meta(words({ title: 'Site', description: 'The building.' }));

const time = z
  .strictObject({
    trust: z
      .enum(['kernel', 'rtc', 'operator', 'always'])
      .default('kernel')
      .meta(
        words({
          title: 'Trust',
          description:
            'Whose word makes the wall clock trusted after a start: kernel (NTP), rtc (a hardware clock), operator (confirmed by hand), always.',
        }),
      ),
  })
  .meta(words({ title: 'Time', description: 'Without trusted time only holders with no time limit are let in.' }));

const certificate = { cert: file('Certificate', 'tls/cert.pem'), key: file('Private key', 'tls/key.pem') };

const web = z
  .strictObject({
    host: host('Address', 'Address to listen on; 0.0.0.0 is every network.').default('127.0.0.1'),
    port: port('Port', 8080).default(8080),
    tls: z
      .strictObject(certificate)
      .optional()
      .meta(words({ title: 'TLS', description: 'HTTPS instead of HTTP.' })),
    sessionIdleMin: amount(
      'Session idle time',
      'Minutes without a request after which a person is signed out.',
      1,
      720,
    ).default(30),
  })
  .meta(words({ title: 'Web', description: 'Dashboard and API.' }));

const brokerUser = z.strictObject({
  name: z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,64}$/)
    .meta(words({ title: 'Name', description: 'MQTT user name.', examples: ['observer'] })),
  password: secret('Password', 'OBSERVER_PASSWORD'),
  read: z
    .array(text('Filter', 'MQTT filter below doorward/1/SITE/.', '_room/#'))
    .min(1)
    .max(20)
    .meta(words({ title: 'Read', description: 'Filters below doorward/1/SITE/ that it may read, e.g. _room/#.' })),
});

const embedded = z
  .strictObject({
    host: host('Address', 'Address to listen on.').default('127.0.0.1'),
    port: port('Port', 1883).default(1883),
    tls: z
      .strictObject({ port: port('Port', 8883).default(8883), ...certificate })
      .optional()
      .meta(words({ title: 'TLS', description: 'A further listener with TLS.' })),
    users: z
      .array(brokerUser)
      .max(100)
      .default([])
      .meta(
        words({ title: 'Users', description: 'Who may read, apart from the devices; nobody but the gateway writes.' }),
      ),
  })
  .meta(words({ title: 'Embedded broker', description: 'The broker inside the gateway.' }));

const external = z
  .strictObject({
    url: z
      .string()
      .regex(/^mqtts?:\/\/[^\s/@]+$/)
      .meta(
        words({ title: 'URL', description: 'mqtt:// or mqtts://, host and port.', examples: ['mqtts://broker:8883'] }),
      ),
    username: text('User name', 'The gateway’s name at the broker.', 'doorward').optional(),
    password: secret('Password', 'MQTT_PASSWORD').optional(),
    ca: file('Certificate authority', 'tls/ca.pem').optional(),
  })
  .meta(words({ title: 'External broker', description: 'A broker that runs elsewhere.' }));

const broker = z
  .strictObject({ embedded: embedded.optional(), external: external.optional() })
  .meta(words({ title: 'Broker', description: 'Where devices talk: exactly one of `embedded` and `external`.' }));

const influx = z
  .strictObject({
    url: z
      .string()
      .regex(/^https?:\/\/[^\s/@]+\/?$/)
      .meta(words({ title: 'URL', description: 'Address of InfluxDB 1.x.', examples: ['http://127.0.0.1:8086'] })),
    database: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/)
      .default('doorward')
      .meta(words({ title: 'Database', description: 'Made at start when it is not there.' })),
    retentionDays: whole('Retention', 'Days that InfluxDB keeps points; 0 keeps them for ever.', 0, 36_500).default(
      400,
    ),
    username: text('User name', 'At InfluxDB.', 'doorward').optional(),
    password: secret('Password', 'INFLUX_PASSWORD').optional(),
  })
  .meta(words({ title: 'InfluxDB', description: 'Left out, the gateway keeps the history itself.' }));

const history = z
  .strictObject({
    days: whole('Days', 'How long the gateway keeps history itself, where there is no InfluxDB.', 1, 3_650).default(90),
    quotaMb: whole(
      'Disk quota',
      'Megabytes that history and the outbox to InfluxDB may take together.',
      16,
      1_000_000,
    ).default(2_048),
  })
  .meta(words({ title: 'History', description: 'Telemetry on the gateway’s own disk.' }));

const log = z
  .strictObject({
    level: z
      .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace'])
      .default('info')
      .meta(words({ title: 'Level', description: 'What is logged: this and worse.' })),
  })
  .meta(words({ title: 'Log', description: 'Structured log (JSON lines) on standard error.' }));

const limits = z
  .strictObject({
    queueFacts: whole(
      'Fact queue',
      'Facts that may wait to be decided; further ones are dropped and alarmed.',
      100,
      1_000_000,
    ).default(20_000),
    packetBytes: whole(
      'Packet size',
      'Largest MQTT packet that the embedded broker takes, bytes.',
      1_024,
      1_048_576,
    ).default(16_384),
    deviceMessagesPerS: amount(
      'Message rate',
      'Messages a second that one device may send on average.',
      1,
      10_000,
    ).default(500),
  })
  .meta(words({ title: 'Limits', description: 'What one sender may cost the others.' }));

/** The head of every device; the keys after it are its driver's. */
export const deviceHead = z.looseObject({
  id: id('devices', 'lock-1'),
  driver: z
    .string()
    .meta(words({ title: 'Driver', description: 'Which driver speaks with it.', examples: ['native'] })),
});

const roomDevices = z
  .strictObject({
    presence: z
      .array(binding('Presence', 'A presence sensor:', 'room-1'))
      .max(20)
      .default([])
      .meta(words({ title: 'Presence', description: 'Presence sensors.' })),
    people: binding('People', 'A people counter:', 'room-1').optional(),
    temperature: binding('Temperature', 'A thermometer:', 'room-1').optional(),
    humidity: binding('Humidity', 'A hygrometer:', 'room-1').optional(),
    co2: binding('CO2', 'A CO2 sensor:', 'room-1').optional(),
    illuminance: binding('Illuminance', 'A light sensor:', 'room-1').optional(),
    heating: binding('Heating', 'The relay that heats:', 'room-1/relay').optional(),
    cooling: binding('Cooling', 'The relay that cools:', 'room-1/relay-2').optional(),
    lights: z
      .array(binding('Light', 'A dimmer or a relay:', 'room-1/dimmer'))
      .max(20)
      .default([])
      .meta(words({ title: 'Lights', description: 'Dimmers, or relays.' })),
  })
  .meta(words({ title: 'Devices', description: 'What senses and acts in the room.' }));

export const climate = z
  .strictObject({
    heatTo: amount('Heat to', 'Heating setpoint while booked or occupied, °C.', 5, 35).default(21),
    coolTo: amount('Cool to', 'Cooling setpoint while booked or occupied, °C.', 10, 45).default(24),
    setbackTo: amount('Setback', 'Heating setpoint while unoccupied, °C.', 4, 35).default(16),
    setupTo: amount('Setup', 'Cooling setpoint while unoccupied, °C.', 10, 49).default(32),
    leadMin: amount('Lead', 'Minutes before a booking from which the room is brought to its setpoint.', 0, 180).default(
      45,
    ),
    minOnMin: amount('Shortest on', 'Minutes that a relay stays on at least.', 0, 60).default(15),
    minOffMin: amount('Shortest off', 'Minutes that a relay stays off at least.', 0, 60).default(5),
    freezeBelow: amount('Freeze protection', 'Below this the heating runs whatever else holds, °C.', 0, 15).default(4),
  })
  .meta(words({ title: 'Climate', description: 'Setpoints and times of heating and cooling.' }));

export const lighting = z
  .strictObject({
    level: amount('Level', 'Level while the room is in use, %.', 1, 100).default(80),
    offAfterMin: amount('Off after', 'Minutes after the room emptied until the lights go off.', 0.1, 20).default(15),
    warnS: amount('Warning', 'Seconds that the lights are dimmed before they go off.', 0, 600).default(60),
  })
  .meta(words({ title: 'Lighting', description: 'Lights by presence.' }));

const occupancy = z
  .strictObject({
    holdMin: amount('Hold', 'Minutes that the last sign of presence keeps the room occupied.', 0.01, 120).default(7),
  })
  .meta(words({ title: 'Occupancy', description: 'How presence is judged.' }));

const PLAN_METRES = 1_000;
const plan = z
  .strictObject({
    x: amount('x', 'Metres from the left.', 0, PLAN_METRES),
    y: amount('y', 'Metres from the top.', 0, PLAN_METRES),
    width: amount('Width', 'Metres, left to right.', 0.1, PLAN_METRES),
    depth: amount('Depth', 'Metres, top to bottom.', 0.1, PLAN_METRES),
  })
  .meta(words({ title: 'Plan', description: 'Place on the floor’s plan.' }));

const room = z.strictObject({
  id: id('rooms', 'consult-1'),
  name: label('Name', 'Consulting room 1'),
  kind: z
    .enum(ROOM_KINDS)
    .default('other')
    .meta(words({ title: 'Kind', description: 'What the room is for.' })),
  floor: z
    .string()
    .min(1)
    .max(40)
    .default('ground')
    .meta(words({ title: 'Floor', description: 'Rooms of one floor share a plan.' })),
  plan: plan.optional(),
  devices: roomDevices.prefault({}),
  climate: climate.optional(),
  lighting: lighting.optional(),
  occupancy: occupancy.prefault({}),
  bookings: z
    .strictObject({
      bufferMin: amount(
        'Cleaning buffer',
        'Minutes after each booking of this room; that of all rooms unless set.',
        0,
        240,
      ).optional(),
    })
    .prefault({})
    .meta(words({ title: 'Bookings', description: 'How bookings of this room differ from the others’.' })),
});

const door = z.strictObject({
  id: id('doors', 'consult-1-door'),
  name: label('Name', 'Consulting room 1'),
  room: z
    .string()
    .regex(/^[a-z0-9-]{1,40}$/)
    .optional()
    .meta(
      words({ title: 'Room', description: 'The room that bookings open through this door.', examples: ['consult-1'] }),
    ),
  common: z
    .boolean()
    .default(false)
    .meta(words({ title: 'Common door', description: 'Opens for whoever has a booking in the building soon or now.' })),
  lock: binding('Lock', 'The lock:', 'lock-1'),
  contact: binding('Contact', 'The door contact:', 'lock-1').optional(),
  reader: binding('Reader', 'The badge reader:', 'reader-1').optional(),
  exit: binding('Exit button', 'Request to exit:', 'lock-1').optional(),
  strikeMs: whole('Strike time', 'Milliseconds that the lock stays open for one grant.', 500, 60_000).default(5_000),
  heldOpenAfterS: amount('Held open after', 'Seconds after which an open door is an alarm.', 1, 3_600).default(120),
});

export const MAX_DEVICES = 5_000;
export const MAX_ROOMS = 1_000;

export const fileSchema = z
  .strictObject({
    site,
    time: time.prefault({}),
    web: web.prefault({}),
    broker,
    influx: influx.optional(),
    history: history.prefault({}),
    log: log.prefault({}),
    limits: limits.prefault({}),
    bookings: bookings.prefault({}),
    devices: z
      .array(deviceHead)
      .max(MAX_DEVICES)
      .default([])
      .meta(words({ title: 'Devices', description: 'Every device, with the keys that its driver asks for.' })),
    rooms: z
      .array(room)
      .max(MAX_ROOMS)
      .default([])
      .meta(words({ title: 'Rooms', description: 'The rooms.' })),
    doors: z
      .array(door)
      .max(MAX_ROOMS)
      .default([])
      .meta(words({ title: 'Doors', description: 'The doors.' })),
  })
  .meta(words({ title: 'Doorward configuration', description: 'A shared clinic: its rooms, doors and devices.' }));

/** A device of the file: its head, and its driver's own keys as the driver's schema yielded them. */
export interface DeviceConfig {
  readonly id: string;
  readonly driver: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** The configuration, checked, with defaults filled in, secrets resolved and file paths absolute. */
export type Config = Omit<z.output<typeof fileSchema>, 'devices'> & { devices: DeviceConfig[] };
export type RoomConfig = Config['rooms'][number];
export type DoorConfig = Config['doors'][number];
