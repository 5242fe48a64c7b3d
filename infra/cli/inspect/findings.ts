import { azureFindings } from './azure-findings.ts';
import { nodeFindings } from './node-findings.ts';
import type { ClusterObserved, Finding, StatusObserved } from './observed.ts';

/**
 * Everything that is not as it should be, the worst first, each with a hint. Pure; the same observation gives the same
 * lines. A part that could not be read is a line of its own and hides no other.
 */
export function statusFindings(observed: StatusObserved): readonly Finding[] {
  const found = [...clustersFindings(observed), ...azureFindings(observed)];
  return [...bySeverity(found, 'error'), ...bySeverity(found, 'warning'), ...bySeverity(found, 'info')];
}

const bySeverity = (findings: readonly Finding[], severity: Finding['severity']): readonly Finding[] =>
  findings.filter((finding) => finding.severity === severity);

function clustersFindings({ installation, registrations, clusters }: StatusObserved): readonly Finding[] {
  return [
    ...registrationFindings(`installation ${installation}`, { registrations, clusters }),
    ...clusters.flatMap((cluster) => clusterFindings(cluster, installation)),
  ];
}

function registrationFindings(
  subject: string,
  { registrations, clusters }: Pick<StatusObserved, 'registrations' | 'clusters'>,
): readonly Finding[] {
  if (registrations.kind === 'unreadable')
    return [
      {
        severity: 'error',
        subject,
        sentence: `The registrations could not be read: ${registrations.reason}`,
        hint: 'Clusters that are nowhere else are unknown here: ask for the role Storage Blob Data Reader on the storage account, or run doctor.',
      },
    ];
  if (clusters.length > 0) return [];
  return [
    {
      severity: 'warning',
      subject,
      sentence: 'No cluster is registered.',
      hint: 'The app has nothing to do: register one with serverless-kubelet attach.',
    },
  ];
}

function clusterFindings(cluster: ClusterObserved, installation: string): readonly Finding[] {
  const { name, uid, live, nodes } = cluster;
  const subject = `cluster ${name}`;
  if (live.kind === 'unreadable') {
    const unreachable: Finding = {
      severity: 'error',
      subject,
      sentence: `The API server could not be asked: ${live.reason}`,
      hint: 'What is here of its nodes comes from ARM and the tables alone: name the right --kubeconfig and --context, or run doctor, which says which part of the way is broken.',
    };
    return [unreachable, ...nodes.flatMap((node) => nodeFindings(node, { installation, cluster: name, asked: false }))];
  }
  const replaced: Finding = {
    severity: 'error',
    subject,
    sentence: `The cluster has the UID ${live.value.uid} now, and was attached with ${uid}.`,
    hint: `It was rebuilt, and the app deletes nothing for a cluster that it does not know: serverless-kubelet detach --force --cluster ${uid} removes what the old one left, then attach the new one.`,
  };
  return [
    ...(live.value.uid === uid ? [] : [replaced]),
    ...nodes.flatMap((node) => nodeFindings(node, { installation, cluster: name, asked: true })),
  ];
}
