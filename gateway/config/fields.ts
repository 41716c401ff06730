/** The small pieces that the schema of the configuration is put together from. Each key has a title, a description and a default or an example. */
import { z } from 'zod';

/** Ids are topic levels of MQTT and parts of addresses: short, lower case, no dots (RabbitMQ mishandles those). */
export const ID_PATTERN = /^[a-z0-9-]{1,40}$/;
/** `device`, or `device/capability`. */
export const BINDING_PATTERN = /^[a-z0-9-]{1,40}(\/[a-z0-9-]{1,40})?$/;
export const HIGHEST_PORT = 65_535;

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export const ROOM_KINDS = ['consult', 'therapy', 'procedure', 'waiting', 'store', 'other'] as const;

interface Words {
  readonly title: string;
  readonly description: string;
  readonly examples?: readonly (string | number | boolean)[];
}

/** JSON Schema wants a mutable list. */
export function words(text: Words): { title: string; description: string; examples?: (string | number | boolean)[] } {
  return text.examples === undefined
    ? { title: text.title, description: text.description }
    : { title: text.title, description: text.description, examples: [...text.examples] };
}

export function id(of: string, example: string) {
  return z
    .string()
    .regex(ID_PATTERN)
    .meta(words({ title: 'Id', description: `Unique among the ${of}: a-z, 0-9 and -.`, examples: [example] }));
}

export function label(title: string, example: string) {
  return z
    .string()
    .trim()
    .min(1)
    .max(80)
    .meta(words({ title, description: 'As people call it.', examples: [example] }));
}

export function text(title: string, description: string, example: string) {
  return z
    .string()
    .min(1)
    .max(400)
    .meta(words({ title, description, examples: [example] }));
}

/** Passwords and the like are set by reference, so that the file can be kept in version control. */
export function secret(title: string, variable: string) {
  const description = `By reference: \${env:${variable}} or \${file:PATH}, so that it does not stand in this file.`;
  return z
    .string()
    .min(1)
    .max(256)
    .meta(words({ title, description, examples: [`\${env:${variable}}`] }));
}

export function file(title: string, example: string) {
  return z
    .string()
    .min(1)
    .max(400)
    .meta(words({ title, description: 'Path, relative to this file.', examples: [example] }));
}

export function host(title: string, description: string) {
  return z
    .string()
    .min(1)
    .max(253)
    .regex(/^[A-Za-z0-9.:_-]+$/)
    .meta(words({ title, description, examples: ['127.0.0.1'] }));
}

export function port(title: string, example: number) {
  return z
    .int()
    .min(0)
    .max(HIGHEST_PORT)
    .meta(words({ title, description: 'TCP port; 0 takes any free one.', examples: [example] }));
}

/** A number with its bounds; its unit stands last in the key's name. */
export function amount(title: string, description: string, min: number, max: number) {
  return z.number().min(min).max(max).meta(words({ title, description }));
}

export function whole(title: string, description: string, min: number, max: number) {
  return z.int().min(min).max(max).meta(words({ title, description }));
}

/** A device, or one capability of a device. */
export function binding(title: string, description: string, example: string) {
  return z
    .string()
    .regex(BINDING_PATTERN)
    .meta(words({ title, description: `${description} \`device\` or \`device/capability\`.`, examples: [example] }));
}

export const timeOfDay = (title: string, example: string) =>
  z
    .string()
    .regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/)
    .meta(words({ title, description: 'HH:MM in the site’s time zone.', examples: [example] }));
