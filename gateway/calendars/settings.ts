/** What the configuration says of one source (`bookings.sources[]`), checked and with secrets resolved by `gateway/config`. */
import type { SourceKind } from './types.ts';

/** How the room of an event is known. */
export interface RoomMapping {
  /**
   * `calendar`: by the collection (its path, or its display name); `location`: LOCATION; `resources`: RESOURCES;
   * `attendee`: address of an attendee (rooms are often invited). Texts are compared trimmed, case folded, NFC.
   */
  readonly by: 'calendar' | 'location' | 'resources' | 'attendee';
  /** Label → room id. `*` stands for every label: one calendar, one room. */
  readonly map: Readonly<Record<string, string>>;
}

/** How the holder of an event is known. */
export interface HolderMapping {
  /** `attendee`: the first attendee (room and resource apart, declined apart) who is a member, else the organizer. */
  readonly by: 'attendee' | 'organizer' | 'template' | 'member';
  /**
   * For `template`: text of the event with `{…}` for what names the member, e.g. `{member} - *`; matched against
   * `field`. What `{member}` matched is a member's id, address or exact name.
   */
  readonly template?: string | undefined;
  readonly field?: 'summary' | 'location' | undefined;
  /** For `member`: every event of the source is this member's. */
  readonly member?: string | undefined;
}

export interface HttpSettings {
  /** Secrets come resolved and are never logged. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly bearer?: string | undefined;
  /** Plain http is refused unless this is set. */
  readonly allowHttp: boolean;
  /** Addresses that are not public (loopback, link-local, RFC 1918 …) are refused unless this is set. */
  readonly allowPrivate: boolean;
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

interface Common {
  readonly id: string;
  /** How often to look. */
  readonly everyMs: number;
  /** When two sources tell of the same booking the higher counts. */
  readonly priority: number;
  readonly rooms: RoomMapping;
  readonly holder: HolderMapping;
  /** An empty or shrunken answer is believed after so many equal looks in a row. */
  readonly holdPolls: number;
  /** Where a no-show's release is told by POST; signed like our webhooks with `releaseSecret`. */
  readonly releaseUrl?: string | undefined;
  readonly releaseSecret?: string | undefined;
  readonly http: HttpSettings;
}

export interface IcsSettings extends Common {
  readonly kind: 'ics';
  readonly url: string;
}
export interface CaldavSettings extends Common {
  readonly kind: 'caldav';
  /** Server, principal, home or one collection: the rest is discovered (RFC 6764, RFC 4791). */
  readonly url: string;
  /** Write a released booking back as CANCELLED. */
  readonly writeReleases: boolean;
  /** Connections to the server at a time; 4 unless set. */
  readonly connections?: number | undefined;
}
export interface WebhookSettings extends Common {
  readonly kind: 'webhook';
  readonly preset: 'doorward' | 'officernd' | 'nexudus' | 'calcom' | 'cobot';
  readonly secret: string;
  /** Header names, lower case; absent: the preset's own. */
  readonly signatureHeader?: string | undefined;
  readonly timestampHeader?: string | undefined;
  /** Older or newer messages are refused. */
  readonly toleranceMs: number;
  /** Where the truth is fetched after a message, and polled to heal lost ones. */
  readonly url?: string | undefined;
}
export interface FhirSettings extends Common {
  readonly kind: 'fhir';
  /** Base address, e.g. `https://ehr.example/fhir`. */
  readonly url: string;
  /** With it the server may push Appointments (rest-hook) to our webhook address, signed. */
  readonly secret?: string | undefined;
}
export type SourceSettings = IcsSettings | CaldavSettings | WebhookSettings | FhirSettings;
export type SourceSettingsKind = SourceKind;
