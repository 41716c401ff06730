/** Topics of native devices: `doorward/1/<site>/<device>/…`. */

const ROOT = 'doorward/1/';
const ID = /^[a-z0-9-]{1,40}$/;

export function deviceTopic(site: string, device: string): string {
  return `${ROOT}${site}/${device}/`;
}

/** Filters for everything that the devices of a site tell. Their commands are not among them: only devices read those. */
export function siteFilters(site: string): readonly string[] {
  const all = `${ROOT}${site}/+/`;
  return [`${all}desc`, `${all}status`, `${all}state/#`, `${all}event/#`, `${all}ack/#`];
}

/** The device that a topic belongs to; undefined for topics that are none of ours. */
export function deviceOfTopic(topic: string): string | undefined {
  if (!topic.startsWith(ROOT)) return undefined;
  const siteEnd = topic.indexOf('/', ROOT.length);
  const deviceEnd = topic.indexOf('/', siteEnd + 1);
  if (siteEnd < 0 || deviceEnd < 0) return undefined;
  const device = topic.slice(siteEnd + 1, deviceEnd);
  return ID.test(device) ? device : undefined;
}
