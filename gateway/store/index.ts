/** The data folder of a gateway. */
export { restoreBackup } from './backup.ts';
export { openStore, type StoreOptions } from './store.ts';
export type * from './types.ts';
