import { describe, expect, it } from 'vitest';
import { unreadableBy } from '../../../../infra/cli/inspect/fault-reason.ts';
import { statusFindings } from '../../../../infra/cli/inspect/findings.ts';
import { read, unreadable } from '../../../../infra/cli/inspect/observed.ts';
import type {
  BudgetObserved,
  NodeObserved,
  NodeRowSeen,
  NodeSeen,
  PodTrouble,
  StatusObserved,
  UnmanagedGroups,
} from '../../../../infra/cli/inspect/observed.ts';
import { clusterObserved, nodeObserved, nodeSeen, rowSeen, statusObserved } from './observations.ts';

type Row = readonly [
  what: string,
  observed: StatusObserved,
  lines: readonly (readonly [string, string, string, RegExp])[],
];

const withNode = (changes: Partial<NodeObserved>): StatusObserved =>
  statusObserved({ clusters: [clusterObserved({ nodes: [nodeObserved(changes)] })] });
const withObject = (changes: Partial<NodeSeen>): StatusObserved => withNode({ node: read(nodeSeen(changes)) });
const withRow = (changes: Partial<NodeRowSeen>): StatusObserved => withNode({ row: read(rowSeen(changes)) });
const withBudget = (budget: Partial<BudgetObserved>): StatusObserved =>
  statusObserved({ budgets: read([{ name: 'creates in 1 hour', left: 300, of: 300, fullInSeconds: 0, ...budget }]) });
const withTrouble = (trouble: Partial<PodTrouble>): StatusObserved =>
  withNode({ troubles: read([{ namespace: 'default', name: 'web', uid: 'u', attempt: 0, ...trouble }]) });
const withUnmanaged = (found: Partial<UnmanagedGroups>): StatusObserved =>
  statusObserved({
    unmanagedGroups: read([{ kind: 'unknown-cluster', cluster: 'c-9', node: 'aci-1', count: 2, ...found }]),
  });

const node = 'node prod/aci-1';

const rows: readonly Row[] = [
  ['all is well', statusObserved(), []],
  [
    'no cluster',
    statusObserved({ clusters: [] }),
    [['warning', 'installation sk', 'No cluster is registered.', /attach/]],
  ],
  [
    'no right to the registrations',
    statusObserved({ registrations: unreadable('AuthorizationFailure.') }),
    [['error', 'installation sk', 'The registrations could not be read: AuthorizationFailure.', /Storage Blob Data/]],
  ],
  [
    'a rebuilt cluster',
    statusObserved({ clusters: [clusterObserved({ live: read({ uid: 'new' }), nodes: [] })] }),
    [
      [
        'error',
        'cluster prod',
        /has the UID new now/.source,
        /detach --force --cluster 7d5a3c1e-0000-4000-8000-000000000001/,
      ],
    ],
  ],
  [
    'an API server that does not answer hides no other line, and its nodes do not repeat it',
    statusObserved({
      clusters: [
        clusterObserved({
          live: unreadable('connection refused.'),
          nodes: [nodeObserved({ node: unreadable('-'), lease: unreadable('-'), row: read(rowSeen({ orphans: 7 })) })],
        }),
      ],
    }),
    [
      ['error', 'cluster prod', 'The API server could not be asked: connection refused.', /doctor/],
      ['warning', node, '7 container groups have no pod.', /ten minutes/],
    ],
  ],
  [
    'no right to pods',
    withNode({ pods: unreadable('forbidden.') }),
    [['warning', node, 'Its pods could not be listed: forbidden.', /list pods/]],
  ],
  ['no Node', withNode({ node: read(undefined) }), [['error', node, 'There is no such Node.', /15 seconds/]]],
  ['a removed node without Node', withNode({ state: 'removed', node: read(undefined), lease: read(undefined) }), []],
  [
    'a draining node without Node',
    withNode({ state: 'draining', node: read(undefined) }),
    [['warning', node, 'There is no such Node, and a draining one is not created again.', /detach/]],
  ],
  [
    'another owner',
    withObject({ owner: 'other' }),
    [['error', node, 'The Node belongs to the installation "other", not to "sk".', /--node/]],
  ],
  [
    'NotReady',
    withObject({ ready: 'Unknown', reason: 'NodeStatusUnknown' }),
    [['error', node, 'Ready is Unknown (NodeStatusUnknown).', /evicted/]],
  ],
  [
    'cordoned',
    withObject({ unschedulable: true }),
    [['warning', node, 'It is cordoned, though its registration is active.', /uncordon/]],
  ],
  [
    'no room',
    withObject({ allocatable: { cpu: '0', memory: '80Gi', pods: '0' } }),
    [['warning', node, 'It offers no room: allocatable is 0.', /quota/]],
  ],
  [
    'being removed',
    withNode({ state: 'removed', pods: read({ Running: 2 }), groups: read(3) }),
    [['warning', node, 'It is being removed; 2 pods and 3 container groups are left.', /wait/]],
  ],
  [
    'draining',
    withNode({ state: 'draining', node: read(nodeSeen({ unschedulable: true })) }),
    [['info', node, 'It is draining', /kubectl drain/]],
  ],
  [
    'draining, not cordoned',
    withNode({ state: 'draining' }),
    [['warning', node, 'It is to drain, and is not cordoned yet.', /patch/]],
  ],
  ['a Lease of 30 s', withNode({ lease: read({ ageSeconds: 30 }) }), []],
  [
    'a Lease of 31 s',
    withNode({ lease: read({ ageSeconds: 31 }) }),
    [['warning', node, 'Its Lease was renewed 31s ago.', /every 15 seconds/]],
  ],
  [
    'a Lease of 41 s',
    withNode({ lease: read({ ageSeconds: 41 }) }),
    [['error', node, 'Its Lease was renewed 41s ago.', /NotReady/]],
  ],
  ['no Lease', withNode({ lease: read(undefined) }), [['error', node, 'It has no Lease.', /doctor/]]],
  [
    'a Lease of the future',
    withNode({ lease: read({ ageSeconds: -61 }) }),
    [['warning', node, 'Its Lease was renewed 1m1s in the future', /clock/]],
  ],
  [
    'no right to Leases',
    withNode({ lease: unreadable('forbidden.') }),
    [['warning', node, 'Its Lease could not be read: forbidden.', /kube-node-lease/]],
  ],
  [
    'never looked at',
    withNode({ row: read(undefined) }),
    [['warning', node, 'The app has not looked at it yet.', /registration/]],
  ],
  [
    'resync late',
    withRow({ resyncAgeSeconds: 901 }),
    [['warning', node, 'The app compared all its pods and groups 15m1s ago', /node-heartbeat/]],
  ],
  ['resync in time', withRow({ resyncAgeSeconds: 900 }), []],
  [
    'one orphan',
    withRow({ orphans: 1, oldestOrphanAgeSeconds: 70 }),
    [['warning', node, '1 container group has no pod, the oldest for 1m10s.', /held back/]],
  ],
  [
    'tables closed',
    withNode({ row: unreadable('403.') }),
    [['warning', node, 'What the app remembers of it could not be read: 403.', /Storage Table Data Reader/]],
  ],
  [
    'a pod that ARM refuses',
    withTrouble({
      fault: { reason: 'AuthorizationFailed', message: 'no right to join the subnet.' },
      attempt: 4,
      dueInSeconds: 200,
    }),
    [
      [
        'warning',
        'pod default/web',
        'AuthorizationFailed: no right to join the subnet, 4 failures in a row; next try in 3m20s.',
        /role/,
      ],
    ],
  ],
  [
    'a pod without room',
    withTrouble({
      fault: { reason: 'ContainerGroupQuotaReached', message: 'm' },
      pendingForSeconds: 700,
      dueInSeconds: -3,
    }),
    [['warning', 'pod default/web', 'ContainerGroupQuotaReached: m, Pending for 11m40s; next try is due.', /quota/]],
  ],
  [
    'a look long overdue',
    withTrouble({ dueInSeconds: -130 }),
    [['warning', 'pod default/web', 'The app should have looked at it 2m10s ago.', /doctor/]],
  ],
  [
    'a pod that only waits',
    withTrouble({ pendingForSeconds: 660 }),
    [['warning', 'pod default/web', 'It waits without a fault, Pending for 11m.', /describe pod web/]],
  ],
  [
    'groups of an unknown cluster',
    withUnmanaged({ oldestAgeSeconds: 90_000 }),
    [
      [
        'error',
        'cluster c-9',
        '2 container groups are of this cluster (node aci-1), the oldest for 1d1h',
        /detach --force --cluster c-9/,
      ],
    ],
  ],
  [
    'groups of an unknown node',
    withUnmanaged({ kind: 'unknown-node', count: 1 }),
    [['error', 'node aci-1 of cluster c-9', '1 container group is of this node', /removed/]],
  ],
  [
    'quota gone and quota near its end, the worst first',
    statusObserved({
      quota: read([
        { name: 'ContainerGroups', used: 95, limit: 100 },
        { name: 'StandardCores', used: 10, limit: 10 },
      ]),
    }),
    [
      ['error', 'quota in westeurope', '0 of 10 cores are free.', /ask for more/],
      ['warning', 'quota in westeurope', '5 of 100 container groups are free.', /Pending/],
    ],
  ],
  [
    'quota not readable',
    statusObserved({ quota: unreadable('denied.') }),
    [['warning', 'quota in westeurope', 'Could not be read: denied.', /usages\/read/]],
  ],
  [
    'no Azure login, which is reported once',
    statusObserved({
      quota: unreadableBy({ kind: 'transient', message: 'AggregateAuthenticationError: EnvironmentCredential …' }),
      unmanagedGroups: unreadableBy({ kind: 'transient', message: 'CredentialUnavailableError: no' }),
    }),
    [['warning', 'Azure', 'There is no Azure login here', /^Sign in with az login/]],
  ],
  ['a budget of which a beginning is open', withBudget({ left: 18, fullInSeconds: 3600, isPresumed: true }), []],
  ['a budget of a tenth', withBudget({ left: 30, fullInSeconds: 900 }), []],
  [
    'a budget under a tenth',
    withBudget({ left: 29, fullInSeconds: 900 }),
    [['warning', 'budget creates in 1 hour', '29 of 300 are left; full again in 15m.', /limit/]],
  ],
  [
    'a budget that is full again at once',
    withBudget({ left: 0, fullInSeconds: 8 }),
    [['info', 'budget creates in 1 hour', '0 of 300 are left', /waits/]],
  ],
  [
    'a 429',
    withBudget({ left: 0, fullInSeconds: 900, closedForSeconds: 90 }),
    [['warning', 'budget creates in 1 hour', 'ARM has refused more (429): nothing is sent for 1m30s.', /by itself/]],
  ],
  [
    'new tables',
    withBudget({ left: 0, fullInSeconds: 3600, trickles: true }),
    [['info', 'budget creates in 1 hour', 'Nobody knows yet', /first answer/]],
  ],
];

describe('what status finds', () => {
  it.each(rows)('%s', (_, observed, lines) => {
    const found = statusFindings(observed);
    expect(found.map(({ severity, subject }) => [severity, subject])).toEqual(
      lines.map(([severity, subject]) => [severity, subject]),
    );
    for (const [index, [, , sentence, hint]] of lines.entries()) {
      expect(found[index]?.sentence).toContain(sentence);
      expect(found[index]?.hint).toMatch(hint);
    }
  });

  it('gives every line one hint that ends as a sentence, without a line break', () => {
    for (const finding of rows.flatMap(([, observed]) => statusFindings(observed))) {
      expect(finding.hint).toMatch(/^[^\n]{20,}\.$/);
      expect(finding.sentence).toMatch(/^[^\n]{8,}\.$/);
    }
  });

  it('reports at most twenty pods of a node, and how many more there are', () => {
    const troubles = Array.from({ length: 23 }, (_, index) => ({
      namespace: 'default',
      name: `web-${String(index)}`,
      uid: String(index),
      attempt: 0,
      pendingForSeconds: 700,
    }));
    const found = statusFindings(withNode({ troubles: read(troubles) }));
    expect(found).toHaveLength(21);
    expect(found.at(-1)?.sentence).toBe('3 more pods have a fault or wait long.');
  });
});
