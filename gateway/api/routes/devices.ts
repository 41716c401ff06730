/** Devices' health, refused MQTT log-ins, and the technician's test pulse. */
import { Fault } from '../../core/errors.ts';
import * as wire from '../../wire/index.ts';
import { who } from '../access.ts';
import { type Api, type Context, idParams, problems } from '../context.ts';
import { toDevice, toRefusedLogin } from '../convert.ts';
import { ulid } from '../ids.ts';
import { invalid } from '../problem.ts';
import { submit } from '../submit.ts';

/** How long a test pulse waits for the device's answer. */
export const TEST_PULSE_WAIT_MS = 10_000;
/** What may be pulsed: never a lock, for that there is an unlock with a reason. */
const TESTABLE = /^(relay|dimmer|reader)(-[1-9][0-9]?)?$/;

export function deviceRoutes(api: Api, ctx: Context): void {
  const { deps } = ctx;
  api.get(
    '/devices',
    { config: { allow: 'devices.read' }, schema: { tags: ['devices'], response: { 200: wire.devices, ...problems } } },
    async () => ({
      items: deps.devices().map(toDevice),
      refusedLogins: deps.refusedLogins().map(toRefusedLogin),
    }),
  );
  api.post(
    '/devices/:id/test',
    {
      config: { allow: 'devices.test' },
      schema: {
        tags: ['devices'],
        summary: 'Switches a relay or dimmer, or signals at a reader, for a moment',
        params: idParams,
        body: wire.testPulse,
        response: { 200: wire.doorOutcome, ...problems },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { capability } = request.body;
      if (!deps.site.devices.includes(id)) throw new Fault('not_found', 'There is no such device.');
      if (!TESTABLE.test(capability))
        throw invalid({ path: 'body.capability', message: 'only a relay, a dimmer or a reader can be tested' });
      const declared = deps.devices().find((device) => device.id === id)?.capabilities ?? [];
      if (declared.length > 0 && !declared.includes(capability))
        throw invalid({ path: 'body.capability', message: 'the device has no such capability' });
      const command = ulid(deps.clock.now().wallMs);
      await submit(deps, { kind: 'test_pulse', command, point: `${id}/${capability}`, user: who(request).name });
      // A reader reports nothing back, so there is nothing to wait for.
      if (capability.startsWith('reader')) return { command, outcome: 'unknown' as const };
      const { outcome, why } = await deps.loop.outcome(command, TEST_PULSE_WAIT_MS);
      return { command, outcome, ...(why === undefined ? {} : { why }) };
    },
  );
}
