/**
 * Windows zone names as Exchange and Outlook write them into TZID, by CLDR's table (package windows-iana): the name of
 * the registry (`W. Europe Standard Time`), or what Windows shows to people (`(UTC+01:00) Amsterdam, Berlin, …`). The
 * shown form has a table of its own, with those names only that stand for one zone in every version of Windows we know.
 */
import { WINDOWS_TO_IANA_MAP } from 'windows-iana';

/** Without the offset in front, which changed over the years for some and says nothing more than the name. */
const SHOWN_NAMES = {
  'amsterdam, berlin, bern, rome, stockholm, vienna': 'W. Europe Standard Time',
  'belgrade, bratislava, budapest, ljubljana, prague': 'Central Europe Standard Time',
  'brussels, copenhagen, madrid, paris': 'Romance Standard Time',
  'sarajevo, skopje, warsaw, zagreb': 'Central European Standard Time',
  'west central africa': 'W. Central Africa Standard Time',
  'dublin, edinburgh, lisbon, london': 'GMT Standard Time',
  'athens, bucharest': 'GTB Standard Time',
  'helsinki, kyiv, riga, sofia, tallinn, vilnius': 'FLE Standard Time',
  'harare, pretoria': 'South Africa Standard Time',
  jerusalem: 'Israel Standard Time',
  cairo: 'Egypt Standard Time',
  beirut: 'Middle East Standard Time',
  istanbul: 'Turkey Standard Time',
  'moscow, st. petersburg': 'Russian Standard Time',
  'kuwait, riyadh': 'Arab Standard Time',
  baghdad: 'Arabic Standard Time',
  nairobi: 'E. Africa Standard Time',
  tehran: 'Iran Standard Time',
  'abu dhabi, muscat': 'Arabian Standard Time',
  kabul: 'Afghanistan Standard Time',
  'islamabad, karachi': 'Pakistan Standard Time',
  'chennai, kolkata, mumbai, new delhi': 'India Standard Time',
  'sri jayawardenepura': 'Sri Lanka Standard Time',
  kathmandu: 'Nepal Standard Time',
  dhaka: 'Bangladesh Standard Time',
  'yangon (rangoon)': 'Myanmar Standard Time',
  'bangkok, hanoi, jakarta': 'SE Asia Standard Time',
  'beijing, chongqing, hong kong, urumqi': 'China Standard Time',
  'kuala lumpur, singapore': 'Singapore Standard Time',
  perth: 'W. Australia Standard Time',
  taipei: 'Taipei Standard Time',
  'osaka, sapporo, tokyo': 'Tokyo Standard Time',
  seoul: 'Korea Standard Time',
  adelaide: 'Cen. Australia Standard Time',
  darwin: 'AUS Central Standard Time',
  brisbane: 'E. Australia Standard Time',
  'canberra, melbourne, sydney': 'AUS Eastern Standard Time',
  hobart: 'Tasmania Standard Time',
  'auckland, wellington': 'New Zealand Standard Time',
  hawaii: 'Hawaiian Standard Time',
  alaska: 'Alaskan Standard Time',
  'pacific time (us & canada)': 'Pacific Standard Time',
  'mountain time (us & canada)': 'Mountain Standard Time',
  arizona: 'US Mountain Standard Time',
  'central time (us & canada)': 'Central Standard Time',
  saskatchewan: 'Canada Central Standard Time',
  'eastern time (us & canada)': 'Eastern Standard Time',
  'indiana (east)': 'US Eastern Standard Time',
  'atlantic time (canada)': 'Atlantic Standard Time',
  newfoundland: 'Newfoundland Standard Time',
  brasilia: 'E. South America Standard Time',
  santiago: 'Pacific SA Standard Time',
  'bogota, lima, quito': 'SA Pacific Standard Time',
  'bogota, lima, quito, rio branco': 'SA Pacific Standard Time',
  'coordinated universal time': 'UTC',
};

const SHOWN: ReadonlyMap<string, string> = new Map(Object.entries(SHOWN_NAMES));

const BY_NAME = new Map<string, string>();
for (const { windowsName, territory, iana } of WINDOWS_TO_IANA_MAP)
  if (territory === '001' && iana[0] !== undefined) BY_NAME.set(windowsName.toLowerCase(), iana[0]);

/** The IANA name of a Windows zone, in either case; undefined when it is none for certain. */
export function windowsZone(name: string): string | undefined {
  const lower = name.trim().replaceAll(/\s+/g, ' ').toLowerCase();
  const direct = BY_NAME.get(lower);
  if (direct !== undefined) return direct;
  const display = /^\((?:utc|gmt)(?:[+-]\d\d:\d\d)?\) ?(.+)$/.exec(lower)?.[1];
  const known = display === undefined ? undefined : SHOWN.get(display);
  return known === undefined ? undefined : BY_NAME.get(known.toLowerCase());
}
