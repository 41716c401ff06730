/**
 * The release of better-sqlite3 that fits this Node. Up to 12 it is written against V8 and, from Node 24.19 on, ends the
 * process when one of its statements is collected as garbage (Node's own ObjectWrap changed). From 13 on it is written
 * against Node-API 10, which Node 20 lacks: loading it there ends the process too. Both have the same interface.
 */
import { createRequire } from 'node:module';
import type Sqlite3 from 'better-sqlite3';

const NODE_API_NEEDED = 10;
const name = Number(process.versions.napi) >= NODE_API_NEEDED ? 'better-sqlite3-napi' : 'better-sqlite3';

const Sqlite = createRequire(import.meta.url)(name) as typeof Sqlite3;

export default Sqlite;
