/** Frames as an RDM6300 sends them, made here anew so that a mistake of the parser is not repeated. */

/** `tag`: ten hex digits. `checksum` replaces the right one, two digits. */
export function rdmFrame(tag: string, checksum?: string): Uint8Array {
  const bytes = Buffer.from(tag, 'hex');
  const right = [...bytes].reduce((sum, byte) => sum ^ byte, 0);
  const text = tag + (checksum ?? right.toString(16).padStart(2, '0').toUpperCase());
  return Uint8Array.of(0x02, ...Buffer.from(text, 'latin1'), 0x03);
}

/** The same as an ID-12LA sends it: CR and LF before the end. */
export function id12Frame(tag: string): Uint8Array {
  const frame = rdmFrame(tag);
  return Uint8Array.of(...frame.subarray(0, -1), 0x0d, 0x0a, 0x03);
}
