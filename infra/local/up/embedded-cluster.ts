import type { Progress } from '../progress.ts';
import type { Cluster } from './cluster.ts';

export async function startEmbedded(_dir: string, _options: { readonly progress: Progress }): Promise<Cluster> {
  throw new Error('the embedded cluster is not here');
}
