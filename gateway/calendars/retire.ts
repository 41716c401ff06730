import { type IntakePorts, takeIn } from './intake.ts';

/** A source that is no longer configured: what it told of the future is gone, what it kept is forgotten. Returns how many bookings changed. */
export async function retire(ports: IntakePorts, source: string): Promise<number> {
  const bookings = await takeIn(ports, source, [], undefined);
  ports.store.calendars.forget(source);
  return bookings;
}
