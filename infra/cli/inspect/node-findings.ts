import { leaseFindings } from './lease-findings.ts';
import { nodeObjectFindings } from './node-object-findings.ts';
import type { NodeHome } from './node-home.ts';
import type { Finding, NodeObserved, NodeRowSeen, PodTrouble } from './observed.ts';
import { durationText } from './duration-text.ts';

/** The app reads a whole node every five minutes. */
const resyncLateSeconds = 15 * 60;
/** More than a screen of the same does not help. */
const tooManyTroubles = 20;

/** What is not right with one node and its pods. */
export function nodeFindings(node: NodeObserved, home: NodeHome): readonly Finding[] {
  const subject = `node ${home.cluster}/${node.name}`;
  return [
    ...(home.asked
      ? [
          ...nodeObjectFindings(node, { ...home, subject }),
          ...leaseFindings(node, subject),
          ...podFindings(node, subject),
        ]
      : []),
    ...rowFindings(node, subject),
    ...troubleFindings(node, subject),
  ];
}

const podFindings = ({ pods }: NodeObserved, subject: string): readonly Finding[] =>
  pods.kind === 'read'
    ? []
    : [
        {
          severity: 'warning',
          subject,
          sentence: `Its pods could not be listed: ${pods.reason}`,
          hint: 'How many wait or have failed is unknown here: ask for the right to list pods in all namespaces.',
        },
      ];

function rowFindings({ row, state }: NodeObserved, subject: string): readonly Finding[] {
  if (row.kind === 'unreadable')
    return [
      {
        severity: 'warning',
        subject,
        sentence: `What the app remembers of it could not be read: ${row.reason}`,
        hint: 'Orphans and faults would not show: ask for the role Storage Table Data Reader on the storage account, or run this from its network where it is private.',
      },
    ];
  if (row.value === undefined) {
    if (state === 'removed') return [];
    return [
      {
        severity: 'warning',
        subject,
        sentence: 'The app has not looked at it yet.',
        hint: 'It does within a minute of the registration: if this stays, the app does not run; doctor says why.',
      },
    ];
  }
  return [...resyncFindings(row.value, { subject, state }), ...orphanFindings(row.value, subject)];
}

function resyncFindings(
  { resyncAgeSeconds, emptyForSeconds }: NodeRowSeen,
  { subject, state }: { readonly subject: string; readonly state: NodeObserved['state'] },
): readonly Finding[] {
  // A removed node that has been empty for ten minutes is not looked at any more.
  const isDone = state === 'removed' && emptyForSeconds !== undefined;
  if (isDone || (resyncAgeSeconds !== undefined && resyncAgeSeconds <= resyncLateSeconds)) return [];
  const since = resyncAgeSeconds === undefined ? 'never yet' : `${durationText(resyncAgeSeconds)} ago`;
  return [
    {
      severity: 'warning',
      subject,
      sentence: `The app compared all its pods and groups ${since}; it should every five minutes.`,
      hint: 'The timer node-heartbeat or pod-sweep fails: look at the log of the function app, or run doctor.',
    },
  ];
}

function orphanFindings({ orphans, oldestOrphanAgeSeconds }: NodeRowSeen, subject: string): readonly Finding[] {
  if (orphans === 0) return [];
  const since = oldestOrphanAgeSeconds === undefined ? '' : `, the oldest for ${durationText(oldestOrphanAgeSeconds)}`;
  return [
    {
      severity: 'warning',
      subject,
      sentence: `${String(orphans)} container ${orphans === 1 ? 'group has' : 'groups have'} no pod${since}.`,
      hint: 'Many at once are held back for ten minutes, in case the pod list is wrong, and go then: if those pods should still be there, restore the cluster before that time.',
    },
  ];
}

function troubleFindings({ troubles }: NodeObserved, subject: string): readonly Finding[] {
  if (troubles.kind === 'unreadable') return [];
  const reported = troubles.value.slice(0, tooManyTroubles).map(troubleFinding);
  const more = troubles.value.length - reported.length;
  if (more === 0) return reported;
  return [
    ...reported,
    {
      severity: 'warning',
      subject,
      sentence: `${String(more)} more pods have a fault or wait long.`,
      hint: 'All of them are in --output json.',
    },
  ];
}

function troubleFinding({ namespace, name, fault, attempt, ...times }: PodTrouble): Finding {
  const subject = `pod ${namespace}/${name}`;
  const next = times.dueInSeconds === undefined ? '' : `; next try ${dueText(times.dueInSeconds)}`;
  const waited = times.pendingForSeconds === undefined ? '' : `, Pending for ${durationText(times.pendingForSeconds)}`;
  if (fault !== undefined) {
    const failures = attempt > 0 ? `, ${String(attempt)} failures in a row` : '';
    return {
      severity: 'warning',
      subject,
      sentence: `${fault.reason}: ${withoutStop(fault.message)}${failures}${waited}${next}.`,
      hint: faultHint(fault.reason, `${namespace} ${name}`),
    };
  }
  if (times.dueInSeconds !== undefined && times.dueInSeconds < 0)
    return {
      severity: 'warning',
      subject,
      sentence: `The app should have looked at it ${durationText(-times.dueInSeconds)} ago${waited}.`,
      hint: 'Polls are late when the app does not run or a budget is used up: see the budgets, the log of the app, or run doctor.',
    };
  return {
    severity: 'warning',
    subject,
    sentence: `It waits without a fault${waited}${next}.`,
    hint: `ACI may still be pulling its image: kubectl --namespace ${namespace} describe pod ${name} shows the events.`,
  };
}

const dueText = (seconds: number): string => (seconds <= 0 ? 'is due' : `in ${durationText(seconds)}`);

const withoutStop = (message: string): string => message.replace(/\.\s*$/, '');

/** What to do about the reasons that people can fix; the rest is reported by the pod's events. */
function faultHint(reason: string, pod: string): string {
  const [namespace = '', name = ''] = pod.split(' ');
  if (/denied|authoriz|forbidden|credential/i.test(reason))
    return 'The app lacks a right at ARM: doctor names the role and how to give it.';
  if (/quota|capacity/i.test(reason))
    return 'There is no room in the region or the quota: it is tried for ever; end what is not needed, or ask for more quota.';
  if (/config|mount/i.test(reason))
    return 'A ConfigMap, Secret or key is missing: create it, and the pod goes on by itself.';
  if (/image|pull/i.test(reason)) return 'The image can not be pulled: check its name and the pull secret.';
  return `It is tried again by itself: kubectl --namespace ${namespace} describe pod ${name} shows its events.`;
}
