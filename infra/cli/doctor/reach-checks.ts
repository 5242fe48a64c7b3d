import { groupOwner, tagNames } from '../../../shared/core/group/identity.ts';
import type { ListedGroup } from '../../../shared/core/group/group.ts';
import { servicesReviews } from '../inspect/app-rights.ts';
import { readDnsService, readReadyEndpoints } from '../inspect/cluster-dns.ts';
import { read, unreadable, valueOf } from '../inspect/observed.ts';
import type { Part } from '../inspect/observed.ts';
import { judgeCredential, judgeDns, judgeFormerCredentials } from '../inspect/reach-judgements.ts';
import type { HeldCredential } from '../inspect/reach-judgements.ts';
import { readServicesSecrets } from '../inspect/services-secrets.ts';
import type { ReportCheck } from './azure-checks.ts';
import type { ClusterCheckSources } from './cluster-checks.ts';
import { judgeReviews } from './review-checks.ts';

/** How pods reach names and Services of the cluster; nothing is looked at where the registration says nothing of it. */
export async function checkReachOfPods(
  sources: ClusterCheckSources,
  of: (check: string) => string,
  report: ReportCheck,
): Promise<void> {
  const { cluster, reader } = sources;
  if (cluster.dns !== undefined) {
    const service = await readDnsService(reader);
    const { name = '' } = valueOf(service) ?? {};
    const ready = name === '' ? unreadable('There is no Service.') : await readReadyEndpoints(reader, name);
    report(judgeDns(of('DNS of pods'), cluster.dns, { service, ready }));
  }
  const [namespace = ''] = cluster.relay.serviceAccount.split(':');
  const secrets = await readServicesSecrets(reader, namespace);
  if (cluster.services !== undefined) {
    report(judgeCredential(of('Services of pods'), cluster.services, secrets));
    report(await checkAccount(of('rights for Services'), namespace, sources));
  }
  if (cluster.services === undefined && (valueOf(secrets) ?? []).length === 0) return;
  const held = heldBy(await sources.groups(), sources);
  const former = judgeFormerCredentials(of('former tokens'), cluster.services, { secrets, held });
  if (former !== undefined) report(former);
}

/** What ACI's kube-proxy may do with its account. */
const checkAccount = (name: string, namespace: string, sources: ClusterCheckSources) =>
  judgeReviews(name, { who: 'The account services', reviews: servicesReviews(namespace) }, sources);

const heldBy = (
  groups: Part<readonly ListedGroup[]>,
  { installation, cluster }: Pick<ClusterCheckSources, 'installation' | 'cluster'>,
): Part<readonly HeldCredential[]> =>
  groups.kind === 'unreadable'
    ? groups
    : read(
        groups.value.flatMap(({ tags }) => {
          const owner = groupOwner(tags);
          const credential = tags[tagNames.services];
          const isOurs = owner?.installation === installation && owner.cluster === cluster.uid;
          return isOurs && credential !== undefined ? [{ credential, pod: `${owner.namespace}/${owner.name}` }] : [];
        }),
      );
