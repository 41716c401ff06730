/** The JSON Schema of the configuration file, for editors; and the words of a key for error texts, out of the same. */
import { z } from 'zod';
import type { DriverSpec } from './drivers.ts';
import type { ConfigPath } from './faults.ts';
import { deviceHead, fileSchema } from './schema.ts';

export interface JsonSchema {
  readonly [key: string]: unknown;
}

/** Draft 2020-12. Each device is held against the keys of its own driver. */
export function jsonSchema(drivers: readonly DriverSpec[]): JsonSchema {
  const schema = z.toJSONSchema(fileSchema, { io: 'input' }) as JsonSchema;
  const properties = record(schema.properties);
  const devices = { ...record(properties.devices), items: { oneOf: drivers.map(deviceSchema) } };
  return { ...schema, properties: { ...properties, devices } };
}

/** One device: its head and the keys of its driver. */
export function deviceSchema(driver: DriverSpec): JsonSchema {
  const head = z.toJSONSchema(deviceHead, { io: 'input' }) as JsonSchema;
  const { $schema: _dialect, ...own } = z.toJSONSchema(driver.schema, { io: 'input', unrepresentable: 'any' });
  const properties = record(head.properties);
  return {
    ...own,
    title: driver.title ?? driver.name,
    type: 'object',
    properties: {
      ...properties,
      driver: { ...record(properties.driver), const: driver.name },
      ...record(own.properties),
    },
    required: ['id', 'driver', ...(Array.isArray(own.required) ? own.required : [])],
    additionalProperties: false,
  };
}

/** The part of a JSON Schema that describes a path; undefined where the schema does not know it. */
export function schemaAt(schema: JsonSchema, path: ConfigPath): JsonSchema | undefined {
  let part: JsonSchema | undefined = schema;
  for (const step of path) {
    const next: unknown = typeof step === 'number' ? part.items : record(part.properties)[step];
    if (typeof next !== 'object' || next === null) return undefined;
    part = next as JsonSchema;
  }
  return part;
}

export function knownKeys(schema: JsonSchema | undefined): readonly string[] {
  return Object.keys(record(schema?.properties));
}

function record(value: unknown): JsonSchema {
  return typeof value === 'object' && value !== null ? (value as JsonSchema) : {};
}
