/** The configuration: its schema, its loader, its error texts. */
export { canonical, DOOR_SLOTS, ROOM_SLOTS } from './bindings.ts';
export type { DriverSpec } from './drivers.ts';
export { type ConfigFault, ConfigFaults, faultText } from './faults.ts';
export { type JsonSchema, jsonSchema } from './json-schema.ts';
export { type LoadOptions, loadConfig } from './load.ts';
export type { Config, DeviceConfig, DoorConfig, RoomConfig } from './schema.ts';
export { toSite } from './site.ts';
export type { SourceConfig } from './sources.ts';
