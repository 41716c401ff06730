/** A gateway on a broker of either kind, ready to be measured. */
import { startMosquitto } from '../test/support/mosquitto.ts';
import { type Running, startGateway } from './processes.ts';
import { type BenchSite, doorDevice, freePort, PASSWORD, type Prepared, prepare, SITE, sensorDevice } from './site.ts';

export type BrokerKind = 'mosquitto' | 'embedded';

export interface UnderTest {
  readonly port: number;
  readonly gateway: Running;
  readonly prepared: Prepared;
  /** mosquitto's process, where it is one of its own. */
  readonly brokerPid?: number | undefined;
  /** The gateway ends; the data stays for whoever looks at it. */
  stopGateway(): Promise<void>;
  stop(): Promise<void>;
}

export interface UnderTestOptions {
  readonly broker: BrokerKind;
  readonly rooms: number;
  readonly sensors: number;
  /** Where the data folder goes, if not in the system's temporary folder. */
  readonly parent?: string | undefined;
}

export async function startUnderTest(options: UnderTestOptions): Promise<UnderTest> {
  const { broker, rooms, sensors, parent } = options;
  const ids = [
    ...Array.from({ length: rooms }, (_, i) => doorDevice(i)),
    ...Array.from({ length: sensors }, (_, i) => sensorDevice(i)),
  ];
  const mosquitto =
    broker === 'embedded'
      ? undefined
      : await startMosquitto({
          site: SITE,
          devices: ids.map((id) => ({ id, password: PASSWORD })),
          users: [
            { name: 'floor', password: PASSWORD, read: ['_floor/#'], write: ['_floor/#'] },
            { name: 'floor-echo', password: PASSWORD, read: ['_floor/#'], write: ['_floor/#'] },
          ],
          gateway: { username: 'doorward', password: PASSWORD },
        });
  const port = mosquitto?.port ?? (await freePort());
  const site: BenchSite = { rooms, sensors, broker: mosquitto === undefined ? { port } : { url: mosquitto.url } };
  const prepared = prepare(site, parent);
  const gateway = await startGateway(prepared.config, prepared.data);
  return {
    port,
    gateway,
    prepared,
    brokerPid: mosquitto?.pid,
    stopGateway: () => gateway.stop(),
    async stop() {
      await gateway.stop();
      await mosquitto?.stop();
      prepared.remove();
    },
  };
}
