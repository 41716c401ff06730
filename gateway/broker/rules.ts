/** The broker's answers to aedes: who may connect, publish, subscribe and be sent to. */
import type { Socket } from 'node:net';
import type { AedesPublishPacket, AuthenticateError, Client, ConnectPacket, PublishPacket, Subscription } from 'aedes';
import { isCommandTopic, isMomentTopic, mayRead, mayWrite, type Party } from './access.ts';
import { CLIENT_ID_CHARS, GATEWAY_USER, type RefusedReason } from './logins.ts';
import type { Context, Misuse } from './types.ts';

/** Longest part of a topic that is repeated: it came from the client. */
const TOPIC_SHOWN_CHARS = 120;

export function preConnect(
  context: Context,
  client: Client,
  packet: ConnectPacket,
  done: (error: Error | null, success: boolean) => void,
): void {
  const username = packet.username ?? '';
  const party = context.logins.party(username);
  const reason = unfit(context, packet, party);
  if (reason !== undefined) {
    remember(context, client, packet.clientId, username, reason);
    done(refusal(reason), false);
    return;
  }
  // No session outlives its connection: a command must never wait for a device that is away.
  packet.clean = true;
  // A user's client can never push a device or the gateway out by taking its client id.
  if (party?.kind === 'user') packet.clientId = `${username}/${packet.clientId || crypto.randomUUID()}`;
  // Whoever claims to be the gateway without being inside is refused below, before the id counts for anything.
  if (party?.kind === 'gateway') packet.clientId = GATEWAY_USER;
  done(null, true);
}

function unfit(context: Context, packet: ConnectPacket, party: Party | undefined): RefusedReason | undefined {
  // MQTT 3.1.1 lets a client leave its id to the broker; a user may, a device is known by its id.
  if (packet.clientId === '' && party?.kind !== 'user' && party?.kind !== 'gateway') return 'empty_client_id';
  if (packet.clientId.length > CLIENT_ID_CHARS) return 'client_id_too_long';
  const { will } = packet;
  return will === undefined || party === undefined || willAllowed(context, party, will)
    ? undefined
    : 'will_not_allowed';
}

function willAllowed(
  context: Context,
  party: Party,
  will: { readonly topic: string; readonly retain?: boolean },
): boolean {
  return mayWrite(party, context.options.site, will.topic) && !(will.retain === true && isCommandTopic(will.topic));
}

/** undefined: welcome. */
export function authenticate(
  context: Context,
  client: Client,
  username: string,
  password: Uint8Array,
): RefusedReason | undefined {
  const party = context.logins.check(username, password);
  let reason: RefusedReason | undefined;
  if (typeof party === 'string') reason = party;
  else if (party.kind === 'gateway' && !context.inside.has(client.conn)) reason = 'gateway_only_inside';
  else if (party.kind === 'device' && client.id !== party.id) reason = 'wrong_client_id';
  else context.parties.set(client, party);
  if (reason !== undefined) remember(context, client, client.id, username, reason);
  return reason;
}

function remember(context: Context, client: Client, clientId: string, username: string, reason: RefusedReason): void {
  const address = (client.conn as Partial<Socket>).remoteAddress ?? 'inside';
  const atMs = (context.options.wallMs ?? Date.now)();
  const login = context.refused.add({ atMs, clientId, username, address, reason });
  context.log.warn({ ...login }, 'MQTT log-in refused');
}

/** MQTT 3.1.1, table 3.1: 2 identifier rejected, 4 bad user name or password, 5 not authorized. */
const RETURN_CODES: Readonly<Record<RefusedReason, number>> = {
  empty_client_id: 2,
  client_id_too_long: 2,
  wrong_client_id: 2,
  unknown_user: 4,
  wrong_password: 4,
  will_not_allowed: 5,
  gateway_only_inside: 5,
};
export function refusal(reason: RefusedReason): AuthenticateError {
  return Object.assign(new Error(`log-in refused: ${reason}`), { returnCode: RETURN_CODES[reason] });
}

/** An error cuts the connection: MQTT 3.1.1 has no other way to say no. Wills pass here too. */
export function authorizePublish(context: Context, client: Client | null, packet: PublishPacket): Error | null {
  const party = client === null ? undefined : context.parties.get(client);
  if (party === undefined || !mayWrite(party, context.options.site, packet.topic)) {
    const topic = packet.topic.slice(0, TOPIC_SHOWN_CHARS);
    context.log.warn({ client: client?.id, topic }, 'publish refused: not its topic');
    tellMisuse(context, client, { kind: 'foreign_write', topic });
    return new Error('not its topic');
  }
  if (!packet.retain) return null;
  if (isCommandTopic(packet.topic)) {
    // An empty payload only clears.
    if (party.kind === 'gateway' && packet.payload.length === 0) return null;
    const topic = packet.topic.slice(0, TOPIC_SHOWN_CHARS);
    context.log.warn({ client: client?.id, topic }, 'publish refused: a retained command');
    return new Error('a command is never retained');
  }
  if (isMomentTopic(packet.topic)) {
    // Not kept, but the gateway is told that it was meant to be: it journals such an event and never acts on it.
    packet.retain = false;
    packet.properties = RETAINED_MARK;
  }
  return null;
}

/** Carried inside the broker only: MQTT 3.1.1 writes no properties. */
const RETAINED_MARK = { userProperties: { retained: 'true' } };

export function authorizeSubscribe(context: Context, client: Client, subscription: Subscription): boolean {
  const party = context.parties.get(client);
  const { subscriptions } = client as Client & { readonly subscriptions: Readonly<Record<string, unknown>> };
  const allowed =
    party !== undefined &&
    mayRead(party, context.options.site, subscription.topic) &&
    (party.kind === 'gateway' || Object.keys(subscriptions).length < context.limits.subscriptionsPerClient);
  if (!allowed) {
    const topic = subscription.topic.slice(0, TOPIC_SHOWN_CHARS);
    context.log.warn({ client: client.id, filter: topic }, 'subscription refused');
    tellMisuse(context, client, { kind: 'foreign_read', topic });
  }
  return allowed;
}

/** Of what a client that has not logged in does, the list of refused log-ins tells. */
export function tellMisuse(context: Context, client: Client | null, misuse: Misuse): void {
  const party = client === null ? undefined : context.parties.get(client);
  if (party?.kind === 'device') for (const listener of context.misuseListeners) listener(party.id, misuse);
}

export function forward(context: Context, client: Client, packet: AedesPublishPacket): AedesPublishPacket | null {
  if (packet.properties === RETAINED_MARK && context.parties.get(client)?.kind === 'gateway') packet.retain = true;
  if (!context.inside.has(client.conn) && client.conn.writableLength > context.limits.backlogBytes) {
    context.log.warn(
      { client: client.id, unreadBytes: client.conn.writableLength },
      'subscriber does not read; dropped',
    );
    client.conn.destroy();
    return null;
  }
  return packet;
}
