import { signIn } from './fault-reason.ts';
import { durationText } from './duration-text.ts';
import type { BudgetObserved, Finding, Part, QuotaObserved, StatusObserved, UnmanagedGroups } from './observed.ts';

/** Below this part a quota or a budget is reported. */
const scarce = 0.1;
/** A budget that is full again this soon is only in use. */
const soonSeconds = 60;

/** What ARM and the tables report the whole installation: groups that nobody looks after, quota, budgets. */
export function azureFindings(observed: StatusObserved): readonly Finding[] {
  const { unmanagedGroups, quota, budgets, region } = observed;
  const parts = [unmanagedGroups, quota, budgets];
  return [
    ...loginFindings(parts),
    ...partFindings(unmanagedGroups, {
      subject: 'container groups',
      hint: 'Groups of forgotten clusters would not show: ask for the right to read container groups on the resource group.',
      of: (groups) => groups.map(unmanagedFinding),
    }),
    ...partFindings(quota, {
      subject: `quota in ${region}`,
      hint: 'Nodes then offer their registered capacity: ask for Microsoft.ContainerInstance/locations/usages/read on the subscription.',
      of: (usages) => usages.flatMap((usage) => quotaFinding(usage, region)),
    }),
    ...partFindings(budgets, {
      subject: 'budgets',
      hint: 'What may still be asked of ARM is unknown here, the app keeps to it all the same: ask for the role Storage Table Data Reader on the storage account, or run this from its network where it is private.',
      of: (levels) => levels.flatMap(budgetFinding),
    }),
  ];
}

/** Reported once, however much is unknown for it. */
const loginFindings = (parts: readonly Part<unknown>[]): readonly Finding[] =>
  parts.some((part) => part.kind === 'unreadable' && part.fix === signIn)
    ? [
        {
          severity: 'warning',
          subject: 'Azure',
          sentence: 'There is no Azure login here, or it has expired: what is as "?" is known there alone.',
          hint: signIn,
        },
      ]
    : [];

function partFindings<T>(
  part: Part<T>,
  {
    subject,
    hint,
    of,
  }: { readonly subject: string; readonly hint: string; readonly of: (value: T) => readonly Finding[] },
): readonly Finding[] {
  if (part.kind === 'read') return of(part.value);
  if (part.fix === signIn) return [];
  return [{ severity: 'warning', subject, sentence: `Could not be read: ${part.reason}`, hint }];
}

function unmanagedFinding({ kind, cluster, node, count, oldestAgeSeconds }: UnmanagedGroups): Finding {
  const since = oldestAgeSeconds === undefined ? '' : `, the oldest for ${durationText(oldestAgeSeconds)}`;
  const groups = count === 1 ? '1 container group is' : `${String(count)} container groups are`;
  if (kind === 'unknown-cluster')
    return {
      severity: 'error',
      subject: `cluster ${cluster}`,
      sentence: `${groups} of this cluster (node ${node})${since}, and it is not registered.`,
      hint: `They cost money and nobody looks after them: if the cluster is gone for good, serverless-kubelet detach --force --cluster ${cluster} deletes them.`,
    };
  return {
    severity: 'error',
    subject: `node ${node} of cluster ${cluster}`,
    sentence: `${groups} of this node${since}, and it is not registered.`,
    hint: 'They cost money and nobody looks after them: attach the node again with state "removed", so that it is emptied.',
  };
}

function quotaFinding({ name, used, limit }: QuotaObserved, region: string): readonly Finding[] {
  const free = limit - used;
  if (limit <= 0 || free >= limit * scarce) return [];
  const what = name === 'ContainerGroups' ? 'container groups' : name === 'StandardCores' ? 'cores' : name;
  return [
    {
      severity: free <= 0 ? 'error' : 'warning',
      subject: `quota in ${region}`,
      sentence: `${String(Math.max(0, free))} of ${String(limit)} ${what} are free.`,
      hint: 'New pods stay Pending when nothing is free: end what is not needed, or ask for more quota (Azure portal, Quotas, Container Instances).',
    },
  ];
}

function budgetFinding({ name, left, of, ...rest }: BudgetObserved): readonly Finding[] {
  const subject = `budget ${name}`;
  if (rest.closedForSeconds !== undefined)
    return [
      {
        severity: 'warning',
        subject,
        sentence: `ARM has refused more (429): nothing is sent for ${durationText(rest.closedForSeconds)}.`,
        hint: 'It opens by itself; if this comes often, somebody else uses the same identity or subscription, or the limit in the settings is above the real one.',
      },
    ];
  if (rest.trickles === true)
    return [
      {
        severity: 'info',
        subject,
        sentence: 'Nobody knows yet what was spent before: one request in 15 seconds is sent.',
        hint: 'It opens with the first answer of ARM that says what is left.',
      },
    ];
  // What is open of it now is a beginning: each call that is accepted opens more.
  if (left >= of * scarce || rest.isPresumed === true) return [];
  return [
    {
      severity: rest.fullInSeconds > soonSeconds ? 'warning' : 'info',
      subject,
      sentence: `${String(left)} of ${String(of)} are left; full again in ${durationText(rest.fullInSeconds)}.`,
      hint: 'What is not urgent waits; if this comes often, ask for a higher limit and set it in the settings (ACI_CREATES_PER_5_MINUTES, ACI_CREATES_PER_HOUR).',
    },
  ];
}
