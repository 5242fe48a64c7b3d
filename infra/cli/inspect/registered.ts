import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import type { KubeContexts } from '../cluster/api.ts';
import type { CliContext } from '../context.ts';
import { readRegistrations, servedClusters } from '../registrations.ts';
import { Stop } from '../stop.ts';
import { read, unreadable } from './observed.ts';
import type { Part } from './observed.ts';

/** The clusters of the setting and of the blob; a blob that cannot be read is reported, and the rest goes on. */
export async function registeredClusters(
  context: CliContext,
): Promise<{ readonly registrations: Part<undefined>; readonly clusters: readonly ClusterRegistration[] }> {
  const settings = await context.settings();
  if (settings.REGISTRATIONS_URL === undefined) return { registrations: read(undefined), clusters: settings.CLUSTERS };
  try {
    const { clusters } = await readRegistrations(await context.registrations(), context.signal);
    return { registrations: read(undefined), clusters: servedClusters(settings, clusters) };
  } catch (error) {
    if (error instanceof Stop) return { registrations: unreadable(`${error.message}.`), clusters: settings.CLUSTERS };
    throw error;
  }
}

/** No kubeconfig: then the clusters cannot be asked, and each says so. */
export async function kubeContexts({ api }: Pick<CliContext, 'api'>): Promise<KubeContexts> {
  const contexts = await api.contexts();
  return 'kind' in contexts ? { current: undefined, contexts: [] } : contexts;
}
