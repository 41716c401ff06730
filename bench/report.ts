/** How benchmarks print: headings, aligned rows, targets, percentiles. */
export function heading(text: string): void {
  console.log(`\n${text}\n${'-'.repeat(text.length)}`);
}

export function row(label: string, ...values: readonly string[]): void {
  console.log(`  ${label.padEnd(58)} ${values.join('   ')}`);
}

/** A figure beside what the issue asks. A miss is printed, never an error: timings depend on the machine. */
export function target(label: string, figure: string, asked: string, met: boolean): void {
  row(label, figure.padEnd(14), `asked ${asked}`, met ? 'met' : 'NOT met');
}

/** What is going on, for whoever waits; not part of the figures. */
export function progress(text: string): void {
  console.error(`  … ${text}`);
}

/** `share` of 0.5 is the median. Sorted input is not needed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export interface Spread {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

export function spread(values: readonly number[]): Spread {
  return { p50: percentile(values, 0.5), p95: percentile(values, 0.95), p99: percentile(values, 0.99) };
}

export function count(value: number): string {
  return Math.round(value).toLocaleString('en');
}

/** mulberry32: small, fast, good enough to shuffle, and the same in every run. */
export function seeded(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Fisher and Yates, in place. */
export function shuffle<T>(items: T[], random: () => number): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
  return items;
}
