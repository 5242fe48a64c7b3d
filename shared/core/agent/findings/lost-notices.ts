import type { PartScope } from '../../pod/group-containers.ts';
import type { Notice } from '../../pod/translation.ts';
import { keptSecrets } from '../live-volumes.ts';
import type { ContainerOrders } from '../orders.ts';
import { foundThat } from './lost-features.ts';

const noted = (field: string, why: string): Notice => ({ reason: 'FieldWithoutEffect', message: `${field}: ${why}` });

/** What a pod with the agent gets less of than elsewhere, since a probe found something to fail at its place. */
export function lostNotices(
  { pod, facts, given, host }: PartScope,
  orders: readonly ContainerOrders[],
): readonly Notice[] {
  if (given.kind === 'none' || given.lost === undefined) return [];
  const { lost } = given;
  const kept = new Set(keptSecrets(pod, lost).map(({ name }) => name));
  const secrets = lost.get('Secrets that are renewed in running containers');
  const reports = lost.get('reports of the agent');
  const isBeside = orders.some(({ mode }) => mode === 'supervise');
  // A name that nobody asks for is not missed.
  const asked = facts.failed?.has('hosts-shared') === true ? host.field : undefined;
  const isPart = orders.some(({ hosts }) => hosts === undefined) && orders.some(({ hosts }) => hosts !== undefined);
  return [
    ...pod.spec.volumes.flatMap(({ name }, index) =>
      secrets !== undefined && isBeside && kept.has(name)
        ? [noted(`spec.volumes[${index}]`, `later changes do not arrive: ${foundThat(secrets)}`)]
        : [],
    ),
    ...(reports !== undefined && isBeside
      ? [noted(given.reason, `its agent is not heard, so that ends are seen by polls alone: ${foundThat(reports)}`)]
      : []),
    ...(asked !== undefined && isPart
      ? [
          noted(
            asked,
            `/etc/hosts of containers that do not start as root does not have the name: ${foundThat('hosts-shared')}`,
          ),
        ]
      : []),
  ];
}
