/** Relays, strikes, door contacts and exit buttons wired to a Raspberry Pi's header, through the kernel's sysfs and `onoff`. */
import type { PortDriver } from '../driver.ts';
import { type GpioConfig, gpioSchema } from './config.ts';
import { GpioPort } from './port.ts';

export type { GpioConfig } from './config.ts';

export const gpioDriver: PortDriver<GpioConfig> = {
  name: 'gpio',
  title: "Relays, strikes, door contacts and exit buttons on a Raspberry Pi's header.",
  schema: gpioSchema,
  transport: 'port',
  capabilities: ({ pins }) => pins.map((pin) => pin.capability),
  open: async (device, host) => {
    const port = new GpioPort(device, host, () => performance.now());
    await port.start();
    return port;
  },
};
