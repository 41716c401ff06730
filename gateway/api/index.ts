export { buildApi } from './app.ts';
export { coreCredential, coreMember, RIGHTS_AHEAD_MS, RIGHTS_BEHIND_MS } from './convert.ts';
export type { ApiDeps, DeviceHealth, HistoryPort, RefusedLoginRecord } from './deps.ts';
export { type Listening, type ListenOptions, listenApi } from './listen.ts';
export { createFirstManager, createTokenSecret, FIRST_MANAGER, hashPassword } from './passwords.ts';
