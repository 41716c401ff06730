/** The bodies that are sent to a CalDAV server: RFC 4918 (PROPFIND), RFC 6578 (sync-collection), RFC 4791 (calendar reports). */
import { escapeXml } from './xml.ts';

export const DAV = 'DAV:';
export const CALDAV = 'urn:ietf:params:xml:ns:caldav';
/** Home of getctag, which is no standard but everywhere: https://github.com/apple/ccs-calendarserver caldav-ctag. */
export const CALENDARSERVER = 'http://calendarserver.org/ns/';

export const dav = (local: string): string => `{${DAV}}${local}`;
export const caldav = (local: string): string => `{${CALDAV}}${local}`;
export const CTAG = `{${CALENDARSERVER}}getctag`;

const HEAD = '<?xml version="1.0" encoding="utf-8"?>\n';
const SPACES = `xmlns:d="${DAV}" xmlns:c="${CALDAV}" xmlns:s="${CALENDARSERVER}"`;

/** What one address is: principal, home, calendar. */
export const WHAT_IS_IT = `${HEAD}<d:propfind ${SPACES}><d:prop><d:resourcetype/><d:displayname/><s:getctag/><d:sync-token/><d:supported-report-set/><c:supported-calendar-component-set/><c:calendar-home-set/></d:prop></d:propfind>`;
/** What all calendars of a home are and how they stand. */
export const HOW_DO_THEY_STAND = `${HEAD}<d:propfind ${SPACES}><d:prop><d:resourcetype/><d:displayname/><s:getctag/><d:sync-token/><d:supported-report-set/><c:supported-calendar-component-set/></d:prop></d:propfind>`;
/** The same without sync-token, which some servers work out by reading the whole calendar (Radicale). */
export const HOW_DO_CTAGS_STAND = `${HEAD}<d:propfind ${SPACES}><d:prop><d:resourcetype/><d:displayname/><s:getctag/><d:supported-report-set/><c:supported-calendar-component-set/></d:prop></d:propfind>`;
/** Versions of all resources of a calendar. */
export const ETAGS = `${HEAD}<d:propfind ${SPACES}><d:prop><d:getetag/><d:resourcetype/></d:prop></d:propfind>`;
/** The same, for servers that do not answer to a PROPFIND of depth 1. */
export const ETAGS_BY_QUERY = `${HEAD}<c:calendar-query ${SPACES}><d:prop><d:getetag/></d:prop><c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"/></c:comp-filter></c:filter></c:calendar-query>`;

/** @param token '' asks for all there is. */
export function syncCollection(token: string): string {
  return `${HEAD}<d:sync-collection ${SPACES}><d:sync-token>${escapeXml(token)}</d:sync-token><d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>`;
}

export function multiget(hrefs: readonly string[]): string {
  const wanted = hrefs.map((href) => `<d:href>${escapeXml(href)}</d:href>`).join('');
  return `${HEAD}<c:calendar-multiget ${SPACES}><d:prop><d:getetag/><c:calendar-data/></d:prop>${wanted}</c:calendar-multiget>`;
}
