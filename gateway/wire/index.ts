export * from './clinic.ts';
export * from './common.ts';
export * from './rooms.ts';
export * from './stream.ts';
