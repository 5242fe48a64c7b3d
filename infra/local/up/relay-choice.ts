import { startChartRelay, waitUntilReady } from '../chart/chart-relay.ts';
import type { Child } from '../child.ts';
import type { KeyPair } from '../pki.ts';
import type { Progress } from '../../cli/progress.ts';
import type { UpOptions } from './options.ts';
import { startRelay } from './relay.ts';
import type { RelayInput, RelayReady } from './relay.ts';

/** The cloud's hands on its relay. */
export interface RelayControl {
  /** SIGKILLs it, all replicas at once, and keeps it down. Safe to repeat. */
  kill(): Promise<void>;
  /** Starts it again after {@link RelayControl.kill}; resolves when it is ready. */
  start(): Promise<void>;
}

export interface RelayWanted extends Omit<RelayInput, 'certificate'> {
  readonly kind: UpOptions['relay'];
}

/** Who ends what is started. */
interface Owner {
  add<T extends Child<unknown>>(child: T, graceMs: number): T;
  addStop(stop: () => Promise<unknown>, failed: Promise<string> | undefined): void;
}

/** Starts the relay in the wanted form; resolves when it is ready. */
export async function bringUpRelay(wanted: RelayWanted, owner: Owner, progress: Progress): Promise<RelayControl> {
  const certificate = (): Promise<KeyPair> => wanted.cluster.issueKubeletCertificate(wanted.node.name, wanted.address);
  if (wanted.kind === 'process') {
    const launch = async (): Promise<Child<RelayReady>> =>
      owner.add(await startRelay({ ...wanted, certificate: await certificate() }), 3000);
    let child = await launch();
    return {
      kill: async () => void (await child.stop(0)),
      start: async () => {
        child = await launch();
      },
    };
  }
  const running = await startChartRelay({ ...wanted, certificate: await certificate() }, progress);
  const { deployment } = running;
  owner.addStop(() => running.stop(), undefined);
  return {
    kill: () => deployment.kill({ held: true }),
    start: async () => {
      deployment.resume();
      await waitUntilReady(deployment);
    },
  };
}
