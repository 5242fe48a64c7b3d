import { describe, expect, it } from 'vitest';
import { statusCommand } from '../../../../infra/cli/status/command.ts';
import { createOutput } from '../../../../infra/cli/output.ts';
import { read, unreadable } from '../../../../infra/cli/inspect/observed.ts';
import { printStatus } from '../../../../infra/cli/status/print.ts';
import { statusReport } from '../../../../infra/cli/status/report.ts';
import { groupTags } from '../../../../shared/core/group/identity.ts';
import { fail } from '../../../../shared/core/fault.ts';
import { createWorld } from '../../../app/world.ts';
import { clusterObserved, nodeObserved, nodeSeen, rowSeen, statusObserved } from '../inspect/observations.ts';
import { runOver } from './world-context.ts';
import { groupBody } from '../../../fixtures/group-body.ts';

/** A world in which one pod runs and all clocks have ticked. */
async function running() {
  const world = await createWorld();
  await world.beat();
  world.createPod('serves');
  await world.run(15);
  await world.beat();
  return world;
}

describe('status over a world', () => {
  it('shows a healthy installation and ends with 0', async () => {
    const shown = await runOver(await running(), statusCommand, ['--output', 'json']);
    const report: unknown = JSON.parse(shown.stdout);
    expect(report).toMatchObject({
      installation: 'sk',
      healthy: true,
      unreadable: [],
      clusters: [
        {
          liveUid: '7d5a3c1e-0000-4000-8000-000000000001',
          dns: null,
          services: null,
          nodes: [
            {
              name: 'aci-1',
              ready: 'True',
              leaseAgeSeconds: expect.closeTo(0, -1) as number,
              pods: { Running: 1 },
              groups: 1,
              troubles: [],
            },
          ],
        },
      ],
    });
    expect(shown.code).toBe(0);
  });

  it('shows the groups of a cluster that is not registered, since when, and how they go', async () => {
    const world = await running();
    const owner = { installation: 'sk', cluster: 'gone', node: 'old', namespace: 'd', name: 'p', uid: 'u' };
    const pod = await world.groups.list(new AbortController().signal);
    const [name = ''] = pod.ok ? pod.value.map((group) => group.name) : [];
    expect(name).not.toBe('');
    await world.groups.createOrUpdate(
      'left',
      groupBody({ tags: groupTags(owner, 'hash') }, { image: 'serves' }),
      new AbortController().signal,
    );
    const shown = await runOver(world, statusCommand, []);
    expect(shown.stdout).toContain('error: cluster gone: 1 container group is of this cluster (node old)');
    expect(shown.stdout).toContain('serverless-kubelet detach --force --cluster gone deletes them.');
    expect(shown.code).toBe(3);
  });

  it('reports the rest when the API server is not reached, and when ARM refuses', async () => {
    const world = await running();
    const refused = () => Promise.resolve(fail({ kind: 'denied', code: 'AuthorizationFailed', message: 'no' }));
    Object.assign(world, { groups: { ...world.groups, list: refused, listUsages: refused } });
    const fault = { kind: 'unreachable', why: 'refused' } as const;
    const shown = await runOver(world, statusCommand, ['--output', 'json'], { fault });
    const report: unknown = JSON.parse(shown.stdout);
    expect(report).toMatchObject({
      quota: null,
      unmanagedGroups: null,
      clusters: [{ liveUid: null, nodes: [{ ready: null, pods: null, groups: null, orphans: 0 }] }],
    });
    expect(shown.code).toBe(3);
  });

  it('does not take another cluster of the kubeconfig for a rebuilt one', async () => {
    const world = await running();
    world.cluster.rebuild('00000000-0000-4000-8000-00000000000f');
    const elsewhere = await runOver(world, statusCommand, [], { server: 'https://other.example' });
    expect(elsewhere.stdout).toContain('No context of the kubeconfig leads to https://api.example:6443');
    expect(elsewhere.stdout).not.toContain('rebuilt');
    const same = await runOver(world, statusCommand, []);
    expect(same.stdout).toContain('It was rebuilt');
  });
});

describe('status for people', () => {
  it('is this text', () => {
    const observed = statusObserved({
      clusters: [
        clusterObserved({
          reach: {
            dns: { nameServers: ['10.0.0.10'], domain: 'cluster.local', viaServices: true },
            services: { clusterCidr: '10.240.0.0/16', credential: 'services-a' },
          },
          nodes: [
            nodeObserved({ pods: read({ Pending: 1, Running: 3 }), groups: read(4) }),
            nodeObserved({
              name: 'aci-2',
              node: read(nodeSeen({ ready: 'Unknown', reason: 'NodeStatusUnknown', unschedulable: true })),
              lease: read({ ageSeconds: 75 }),
              pods: unreadable('forbidden.'),
              row: read(rowSeen({ orphans: 2, oldestOrphanAgeSeconds: 30 })),
            }),
          ],
        }),
      ],
      budgets: read([
        { name: 'reads', left: 187, of: 187, fullInSeconds: 0 },
        { name: 'creates in 1 hour', left: 12, of: 300, fullInSeconds: 2400 },
      ]),
    });
    let text = '';
    const stream = { write: (more: string) => void (text += more) };
    printStatus(
      createOutput({ stdout: stream, stderr: stream, format: 'table', environment: {} }),
      statusReport(observed),
    );
    expect(text).toMatchSnapshot();
  });
});
