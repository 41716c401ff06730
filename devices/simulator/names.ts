/** Invented people for the demo clinic, and what they book rooms for. No patient is ever named. */
import type { Random } from './random.ts';

// biome-ignore format: a table reads better than a column
const FIRST_NAMES = [
  'Amara', 'Björn', 'Chiara', 'Dmitri', 'Elif', 'Farah', 'Gustavo', 'Hanna', 'Ibrahim', 'Jasmin',
  'Keiko', 'Liam', 'Mirela', 'Nnamdi', 'Olga', 'Priya', 'Quentin', 'Rosa', 'Samuel', 'Thi Mai',
  'Ulrike', 'Viktor', 'Wanjiru', 'Xenia', 'Yusuf', 'Zofia', 'Aylin', 'Benedikt', 'Carmen', 'David',
];
// biome-ignore format: a table reads better than a column
const LAST_NAMES = [
  'Adeyemi', 'Bergström', 'Castellano', 'Dimitrova', 'Eriksen', 'Fontaine', 'Grünwald', 'Haddad', 'Ivanov', 'Jansen',
  'Kaya', 'Lindqvist', 'Moreau', 'Nakamura', 'Okafor', 'Pereira', 'Quispe', 'Rahimi', 'Sommer', 'Tanaka',
  'Usman', 'Vogel', 'Weiss', 'Ximénez', 'Yıldız', 'Zieliński', 'Abebe', 'Brandt', 'Conti', 'Doyle',
];

const TITLES: Readonly<Record<string, readonly string[]>> = {
  consult: ['General practice hours', 'Diabetes clinic', 'Dermatology hours', 'Paediatric check-ups', 'Dietary advice'],
  therapy: ['Physiotherapy', 'Speech therapy', 'Occupational therapy', 'Back class'],
  procedure: ['Minor surgery', 'Endoscopy list', 'Wound care', 'Ultrasound list'],
  other: ['Team meeting', 'Supervision', 'Counselling'],
};

/** `index` counts people; no two of the first 900 have the same name. */
export function inventName(index: number): string {
  const first = FIRST_NAMES[index % FIRST_NAMES.length] as string;
  // Each round through the first names starts one further in the last names.
  const last = LAST_NAMES[(index * 7 + Math.floor(index / FIRST_NAMES.length)) % LAST_NAMES.length] as string;
  return `${first} ${last}`;
}

export function inventTitle(kind: string, random: Random): string {
  return random.pick(TITLES[kind] ?? (TITLES.other as readonly string[]));
}
