/** The drivers, as an explicit list. Importing it has no side effects and loads no native module. */
import type { Driver } from './driver.ts';
import { gpioDriver } from './gpio/index.ts';
import { nativeDriver } from './native/index.ts';
import { serialDriver } from './serial/index.ts';

export const drivers: readonly Driver[] = [nativeDriver, gpioDriver, serialDriver];

export function driverByName(name: string): Driver | undefined {
  return drivers.find((driver) => driver.name === name);
}
