/**
 * Where the header's pins are in the kernel's numbering. sysfs numbers lines over all chips together, beginning at each
 * chip's base: 0 on old Raspberry Pi kernels, 512 since 6.6, and on a Pi 5 wherever the RP1 chip landed.
 */

export interface GpioChip {
  readonly label: string;
  readonly base: number;
  /** How many lines the chip has. */
  readonly ngpio: number;
}

/** The chips that drive the 40-pin header: Pi 5; Pi 4, 400, CM4; Pi 1 to 3 and Zero. */
export const HEADER_CHIP_LABELS = ['pinctrl-rp1', 'pinctrl-bcm2711', 'pinctrl-bcm2835'] as const;

export type LineFinding =
  | { readonly found: true; readonly line: number }
  | { readonly found: false; readonly why: string };

/** The kernel's line number of a BCM pin, or a sentence that tells why there is none. */
export function findLine(chips: readonly GpioChip[], pin: number): LineFinding {
  const labels = chips.map((chip) => chip.label);
  const label = HEADER_CHIP_LABELS.find((known) => labels.includes(known));
  const chip = chips.find((one) => one.label === label);
  if (chip === undefined) {
    const seen = labels.length === 0 ? 'none' : labels.join(', ');
    return { found: false, why: `no Raspberry Pi header among the GPIO chips (found: ${seen})` };
  }
  if (pin >= chip.ngpio) return { found: false, why: `${chip.label} has ${chip.ngpio} lines, so no GPIO${pin}` };
  return { found: true, line: chip.base + pin };
}
