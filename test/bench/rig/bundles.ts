import { join } from 'node:path';
import { buildInto } from '../../../infra/package/build.ts';

export interface Bundles {
  /** Folder of the function app, as deployed. */
  readonly app: string;
  /** Entry of the relay. */
  readonly relay: string;
}

/** What a benchmark runs on. */
export interface Rig extends Bundles {
  /** `real`: kube-apiserver, etcd and the controllers; else the small API server in Node. */
  readonly cluster: 'embedded' | 'real';
  /** How many agents run at once, where a benchmark has many. */
  readonly agents: number;
}

export const repository = join(import.meta.dirname, '..', '..', '..');

/** Bundles app and relay as they are deployed, beside the run and not into `dist`, which others may use. */
export async function bundleInto(dir: string): Promise<Bundles> {
  await buildInto(dir, repository);
  return { app: join(dir, 'app'), relay: join(dir, 'relay', 'relay.mjs') };
}
