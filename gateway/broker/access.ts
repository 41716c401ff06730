/**
 * Who may write and read what at the embedded broker (CONTRACT, “Native devices”). Pure.
 * A device writes its own desc, status, state, event and ack and reads its own commands; nobody but the gateway writes
 * commands and room summaries; users only read.
 */
import { covers } from './filters.ts';

export type Party =
  | { readonly kind: 'gateway' }
  | { readonly kind: 'device'; readonly id: string }
  | { readonly kind: 'user'; readonly name: string; readonly read: readonly string[] };

export function siteTopic(site: string): string {
  return `doorward/1/${site}/`;
}

/** Branches that hold a device's word, with whether the broker keeps the last one. */
const DEVICE_LEAVES = new Set(['desc', 'status']);
const DEVICE_BRANCHES = new Set(['state', 'event', 'ack']);
const MAX_NAME_CHARS = 60;

export function mayWrite(party: Party, site: string, topic: string): boolean {
  if (party.kind === 'gateway') return true;
  if (party.kind === 'user') return false;
  const own = `${siteTopic(site)}${party.id}/`;
  if (!topic.startsWith(own)) return false;
  const below = topic.slice(own.length);
  if (DEVICE_LEAVES.has(below)) return true;
  const slash = below.indexOf('/');
  const name = below.slice(slash + 1);
  return slash > 0 && DEVICE_BRANCHES.has(below.slice(0, slash)) && name.length > 0 && name.length <= MAX_NAME_CHARS;
}

export function mayRead(party: Party, site: string, filter: string): boolean {
  switch (party.kind) {
    case 'gateway':
      return true;
    case 'device':
      return covers(`${siteTopic(site)}${party.id}/command/#`, filter);
    case 'user':
      return party.read.some((allowed) => covers(`${siteTopic(site)}${allowed}`, filter));
  }
}

/**
 * Topics on which somebody's device takes orders: ours, Zigbee2MQTT's `…/set`, Tasmota's `cmnd/…`, Shelly's `…/rpc`,
 * ESPHome's `…/command`. A retained order is carried out again at every reconnect: doors opened by themselves that way.
 */
export function isCommandTopic(topic: string): boolean {
  return /^doorward\/1\/[^/]+\/[^/]+\/command(\/|$)/.test(topic) || /^cmnd\/|\/(set|rpc|command)$/.test(topic);
}

/** Topics of things that happen once: kept, they would happen again for whoever connects later. */
export function isMomentTopic(topic: string): boolean {
  return /^doorward\/1\/[^/]+\/[^/]+\/(event|ack)\//.test(topic);
}
