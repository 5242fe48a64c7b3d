import type { NodeHome } from './node-home.ts';
import type { Finding, NodeObserved, NodeSeen } from './observed.ts';

type Whose = NodeHome & { readonly subject: string };
type Observed = Pick<NodeObserved, 'state' | 'node' | 'groups' | 'pods'>;

/** What the Node object itself shows. */
export function nodeObjectFindings(observed: Observed, whose: Whose): readonly Finding[] {
  const { node, state } = observed;
  const { subject } = whose;
  if (node.kind === 'unreadable')
    return [
      {
        severity: 'warning',
        subject,
        sentence: `The Node could not be read: ${node.reason}`,
        hint: 'Ask for the right to get nodes in this cluster.',
      },
    ];
  if (node.value === undefined) return absentFindings(state, subject);
  const { owner } = node.value;
  if (owner !== whose.installation) return [foreignFinding(owner, whose)];
  switch (state) {
    case 'removed':
      return [removedFinding(observed, subject)];
    case 'draining':
      return drainingFindings(node.value, subject);
    case 'active':
      break;
  }
  return activeFindings(node.value, subject);
}

function absentFindings(state: NodeObserved['state'], subject: string): readonly Finding[] {
  switch (state) {
    case 'removed':
      return [];
    case 'draining':
      return [
        {
          severity: 'warning',
          subject,
          sentence: 'There is no such Node, and a draining one is not created again.',
          hint: 'Finish with serverless-kubelet detach, or attach it again.',
        },
      ];
    case 'active':
      break;
  }
  return [
    {
      severity: 'error',
      subject,
      sentence: 'There is no such Node.',
      hint: 'The app creates it within 15 seconds when it runs and may: doctor says what is missing.',
    },
  ];
}

const foreignFinding = (owner: string | undefined, { subject, installation }: Whose): Finding => ({
  severity: 'error',
  subject,
  sentence:
    owner === undefined
      ? 'A Node of this name is there that no installation owns.'
      : `The Node belongs to the installation "${owner}", not to "${installation}".`,
  hint: 'The app writes nothing to a Node of another owner: attach under another --node name, or delete that Node if nobody needs it.',
});

const removedFinding = ({ groups, pods }: Observed, subject: string): Finding => {
  const groupsLeft = groups.kind === 'read' ? groups.value : undefined;
  const podsLeft = pods.kind === 'read' ? Object.values(pods.value).reduce((sum, count) => sum + count, 0) : undefined;
  const left = [
    ...(podsLeft === undefined ? [] : [`${String(podsLeft)} pods`]),
    ...(groupsLeft === undefined ? [] : [`${String(groupsLeft)} container groups`]),
  ];
  return {
    severity: 'warning',
    subject,
    sentence: `It is being removed${left.length === 0 ? '' : `; ${left.join(' and ')} are left`}.`,
    hint: 'Node and Lease go when nothing is left: wait, and if the counts do not fall, see the pods that can not end (finalizers, long grace periods).',
  };
};

function drainingFindings({ unschedulable }: NodeSeen, subject: string): readonly Finding[] {
  const draining: Finding = {
    severity: 'info',
    subject,
    sentence: 'It is draining: what runs goes on, and nothing new is placed on it.',
    hint: 'kubectl drain moves the rest away; detach takes the node out.',
  };
  if (unschedulable) return [draining];
  return [
    {
      severity: 'warning',
      subject,
      sentence: 'It is to drain, and is not cordoned yet.',
      hint: 'The app cordons it within a minute: if this stays, it lacks the right to patch this Node; doctor says.',
    },
  ];
}

function activeFindings(node: NodeSeen, subject: string): readonly Finding[] {
  const { ready, reason, unschedulable, allocatable } = node;
  return [
    ...(ready === 'True' ? [] : [notReadyFinding(node, subject)]),
    ...(unschedulable
      ? [
          {
            severity: 'warning' as const,
            subject,
            sentence: 'It is cordoned, though its registration is active.',
            hint: 'Somebody ran kubectl cordon: kubectl uncordon lets pods come again.',
          },
        ]
      : []),
    ...(reason !== '' && ready === 'True' && (allocatable.cpu === '0' || allocatable.pods === '0')
      ? [
          {
            severity: 'warning' as const,
            subject,
            sentence: 'It offers no room: allocatable is 0.',
            hint: 'The quota of the region is used up by others, or the registered capacity is 0: see the quota.',
          },
        ]
      : []),
  ];
}

const notReadyFinding = ({ ready, reason }: NodeSeen, subject: string): Finding => ({
  severity: 'error',
  subject,
  sentence: `Ready is ${ready}${reason === '' ? '' : ` (${reason})`}.`,
  hint: 'The scheduler avoids it and after five minutes its pods are evicted: the app or the relay is down, or may not act as this node; doctor says which.',
});
