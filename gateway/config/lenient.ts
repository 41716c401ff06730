/**
 * Reading data that may still be faulty: the cross checks run beside the schema's, so that one `check` shows every
 * fault, and must not stumble over a value of the wrong type.
 */
export type Fields = Readonly<Record<string, unknown>>;

export function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
export function words(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
export function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}
