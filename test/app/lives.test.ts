import { describe, expect, it } from 'vitest';
import { fail, ok } from '../../shared/core/fault.ts';
import type { Fault } from '../../shared/core/fault.ts';
import { hooked } from './hooks.ts';
import { freeReservation } from '../../infra/local/sim/app-process.ts';
import { createWorld } from './world.ts';

const transient: Fault = { kind: 'transient', message: 'connection reset' };
const capacity: Fault = { kind: 'capacity', code: 'ContainerGroupQuotaReached', message: 'The quota is used up.' };

describe('a pod that runs', () => {
  it('ends once and keeps its exit code', async () => {
    const world = await createWorld();
    world.createPod('exits-3');
    await world.run(4);
    expect(world.statusOf()).toBe('Pending, main: ContainerCreating');
    await world.run(4);
    expect(world.statusOf()).toBe('Running, main: running');
    await world.run(40);
    expect(world.statusOf()).toBe('Failed, main: Error 3');
    expect(world.groups.puts()).toHaveLength(1);
    expect(world.row()).toMatchObject({ settled: true, dueAt: undefined });
    expect([...world.phases.values()]).toEqual([['Pending', 'Running', 'Failed']]);
  });

  it('succeeds, and its group stays for the logs and costs no more reads', async () => {
    const world = await createWorld();
    world.createPod('exits-0');
    await world.run(60);
    expect(world.statusOf()).toBe('Succeeded, main: Completed 0');
    expect(world.groups.names()).toHaveLength(1);
    expect(await world.count('groups.get', () => world.run(200))).toBe(0);
  });

  it('serves for hours at less than a read a minute, patched only when something changed', async () => {
    const world = await createWorld();
    world.createPod('serves', { restartPolicy: 'Always' });
    await world.run(120);
    expect(world.statusOf()).toBe('Running, main: running');
    const version = world.pod()?.metadata.resourceVersion;
    expect(await world.count('groups.get', () => world.run(600))).toBeLessThanOrEqual(10);
    expect(world.pod()?.metadata.resourceVersion).toBe(version);
  });

  it('starts by the sweep when every webhook is lost', async () => {
    const world = await createWorld();
    world.relay = false;
    world.createPod('exits-0');
    await world.run(180);
    expect(world.statusOf()).toBe('Succeeded, main: Completed 0');
    expect(world.groups.puts()).toHaveLength(1);
  });

  it('costs no ARM read for the events of our own status patches', async () => {
    const world = await createWorld();
    const pod = world.createPod('serves', { restartPolicy: 'Always' });
    await world.run(100);
    world.relay = false;
    const reads = await world.count('groups.', () =>
      world.post('delta', [
        { node: 'aci-1', namespace: 'default', name: 'p', uid: pod.metadata.uid, resourceVersion: '1', generation: 1 },
      ]),
    );
    expect(reads).toBe(0);
  });

  it('gets Ready back from the node controller without an ARM read', async () => {
    const world = await createWorld();
    world.createPod('serves', { restartPolicy: 'Always' });
    await world.run(100);
    const due = world.row()?.dueAt;
    world.cluster.pods.setCondition(
      { namespace: 'default', name: 'p' },
      { type: 'Ready', status: 'False', reason: 'NodeNotReady' },
    );
    expect(await world.count('groups.', () => world.deliver())).toBe(0);
    expect(world.pod()?.status.conditions.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'True' });
    expect(Math.round((world.row()?.dueAt ?? 0) - (due ?? 0))).toBeCloseTo(0, -1);
  });

  it('keeps the conditions of others, and looks when one changes', async () => {
    const world = await createWorld();
    world.createPod('serves', { restartPolicy: 'Always' });
    await world.run(100);
    world.cluster.pods.setCondition({ namespace: 'default', name: 'p' }, { type: 'example.com/gate', status: 'True' });
    expect(await world.count('groups.get', () => world.deliver())).toBe(1);
    await world.run(100);
    expect(world.pod()?.status.conditions.map(({ type }) => type)).toContain('example.com/gate');
  });
});

describe('activeDeadlineSeconds', () => {
  it('ends a pod that is still running', async () => {
    const world = await createWorld();
    world.createPod('serves', { activeDeadlineSeconds: 15 });
    await world.run(40);
    expect(world.statusOf()).toBe('Failed DeadlineExceeded, main: ContainerStatusUnknown 137');
    expect(world.events('DeadlineExceeded')).toHaveLength(1);
    expect(world.groups.readGroup(world.groups.names()[0] ?? '')?.stopped).toBe(true);
  });

  it('leaves a pod alone that ended in time, though nobody looked before', async () => {
    const world = await createWorld();
    // Ends 25 s after the PUT; the deadline is 26 s after startTime.
    world.createPod('exits-0', { activeDeadlineSeconds: 26 });
    await world.run(10);
    world.now += 60_000;
    await world.run(10);
    expect(world.statusOf()).toBe('Succeeded, main: Completed 0');
  });

  it('ends a pod that never got a group', async () => {
    const world = await createWorld();
    world.groups.inject({ method: 'createOrUpdate', moment: 'before', fault: capacity, times: 100 });
    world.createPod('serves', { activeDeadlineSeconds: 20 });
    await world.run(60);
    expect(world.statusOf()).toContain('Failed DeadlineExceeded');
    expect(world.groups.puts()).toEqual([]);
  });
});

describe('what a pod refers to', () => {
  const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'a' } } }];

  it('keeps it Pending with one event while a ConfigMap is missing, and starts it when it is there', async () => {
    const world = await createWorld();
    world.createPod('exits-0', { containers: [{ name: 'main', image: 'exits-0', env }] });
    await world.run(60);
    expect(world.statusOf()).toBe('Pending, main: CreateContainerConfigError');
    expect(world.events()).toHaveLength(1);
    expect(world.groups.puts()).toEqual([]);
    world.cluster.references.putConfigMap({ namespace: 'default', name: 'settings' }, { a: '1' });
    await world.run(400);
    expect(world.statusOf()).toBe('Succeeded, main: Completed 0');
  });

  it('reads a Secret as the node and sends it as a secureValue only', async () => {
    const world = await createWorld();
    world.cluster.references.putSecret({ namespace: 'default', name: 's' }, { k: 'planted-value' });
    const secretEnv = [{ name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }];
    world.createPod('exits-0', { containers: [{ name: 'main', image: 'exits-0', env: secretEnv }] });
    await world.run(40);
    const group = world.groups.readGroup(world.groups.names()[0] ?? '');
    expect(group?.body.containers[0]?.environmentVariables).toContainEqual({ name: 'S', secureValue: 'planted-value' });
    const rest = JSON.stringify([world.rows(), world.cluster.events(), world.warnings, group?.body.tags, world.pod()]);
    expect(rest).not.toContain('planted-value');
  });

  it('waits while the authorizer does not know the pod yet', async () => {
    const world = await createWorld();
    const fault: Fault = { kind: 'denied', code: 'Forbidden', message: 'no relationship found' };
    world.cluster.inject({ method: 'listServices', moment: 'before', fault });
    world.createPod('exits-0');
    await world.run(60);
    expect(world.statusOf()).toBe('Succeeded, main: Completed 0');
    expect(world.events('CreateContainerConfigError')).toEqual([]);
  });
});

describe('the PUT', () => {
  it('waits as long as ARM says when it is throttled', async () => {
    const world = await createWorld();
    const fault: Fault = { kind: 'throttled', retryAfterMs: 17_000, message: 'too many requests' };
    world.groups.inject({ method: 'createOrUpdate', moment: 'before', fault });
    world.createPod('exits-0');
    await world.run(16);
    expect([world.statusOf(), world.groups.puts().length]).toEqual(['Pending', 0]);
    await world.run(60);
    expect([world.statusOf(), world.groups.puts().length]).toEqual(['Succeeded, main: Completed 0', 1]);
  });

  it('costs nothing of ARM while it is known that it could not be sent, and goes out when it may', async () => {
    const world = await createWorld();
    const fault: Fault = { kind: 'throttled', retryAfterMs: 5_000, message: 'used up' };
    let isUsedUp = true;
    world.deps = { ...world.deps, reserveCreate: () => (isUsedUp ? Promise.resolve(fail(fault)) : freeReservation()) };
    world.createPod('exits-0');
    world.createPod(
      'exits-0',
      { containers: [{ name: 'c', image: 'exits-0', securityContext: { privileged: true } }] },
      { name: 'never' },
    );
    expect(await world.count('groups.get', () => world.run(16))).toBe(1);
    // What ACI can never run is reported at once.
    expect([world.statusOf(), world.statusOf('never')]).toEqual(['Pending', 'Failed UnsupportedPodSpec']);
    expect(world.row()).toMatchObject({ intent: { kind: 'none' }, attempt: 0 });
    isUsedUp = false;
    await world.run(60);
    expect([world.statusOf(), world.groups.puts().length]).toEqual(['Succeeded, main: Completed 0', 1]);
  });

  it('has its permit before the group is polled, and lets go of one that it does not need', async () => {
    const world = await createWorld();
    const reported: string[] = [];
    const reserveCreate = (): ReturnType<typeof freeReservation> => {
      reported.push('reserved');
      return Promise.resolve(ok({ release: () => void reported.push('released') }));
    };
    const deps = hooked(world.deps, { before: (call) => void (call.startsWith('groups.') && reported.push(call)) });
    world.deps = { ...deps, reserveCreate };
    world.createPod('serves', { restartPolicy: 'Always' });
    await world.step();
    expect(reported.slice(0, 4)).toEqual(['reserved', 'groups.get', 'released', 'groups.createOrUpdate']);
    reported.length = 0;
    world.groups.inject({ method: 'get', moment: 'before', fault: transient });
    world.createPod('exits-0', {}, { name: 'other' });
    await world.step();
    expect(reported).toEqual(['reserved', 'groups.get', 'released']);
  });

  it('keeps the pod Pending with one event while there is no room', async () => {
    const world = await createWorld();
    world.groups.inject({ method: 'createOrUpdate', moment: 'before', fault: capacity, times: 4 });
    world.createPod('exits-0');
    await world.run(10);
    expect(world.statusOf()).toBe('Pending, main: ProviderCapacity');
    await world.run(200);
    expect(world.statusOf()).toBe('Succeeded, main: Completed 0');
    expect(world.events('ProviderCapacity')).toHaveLength(1);
    expect(world.row()?.fault).toBeUndefined();
  });

  it('fails the pod for lack of room when the setting says so', async () => {
    const world = await createWorld({ settings: { ON_CAPACITY_FAIL_AFTER_MINUTES: '2' } });
    world.groups.inject({ method: 'createOrUpdate', moment: 'before', fault: capacity, times: 100 });
    world.createPod('exits-0');
    await world.run(100);
    expect(world.statusOf()).toBe('Pending, main: ProviderCapacity');
    await world.run(200);
    expect(world.statusOf()).toContain('Failed OutOfcpu');
  });

  it('is adopted when only its answer was lost', async () => {
    const world = await createWorld();
    world.groups.inject({ method: 'createOrUpdate', moment: 'after', fault: transient });
    world.createPod('exits-0');
    await world.run(60);
    expect([world.statusOf(), world.groups.puts().length]).toEqual(['Succeeded, main: Completed 0', 1]);
  });

  it('is sent again after a minute when it never arrived, and not before', async () => {
    const world = await createWorld();
    world.groups.inject({ method: 'createOrUpdate', moment: 'before', fault: transient });
    world.createPod('exits-0');
    await world.run(58);
    expect(world.calls.filter((call) => call === 'groups.createOrUpdate')).toHaveLength(1);
    await world.run(40);
    expect([world.statusOf(), world.groups.puts().length]).toEqual(['Succeeded, main: Completed 0', 1]);
  });

  it('fails the pod when ARM says that it can never run', async () => {
    const world = await createWorld();
    const fault: Fault = { kind: 'rejected', code: 'InvalidPort', message: 'port 0 is not valid', isPermanent: true };
    world.groups.inject({ method: 'createOrUpdate', moment: 'before', fault });
    world.createPod('exits-0');
    await world.run(5);
    expect(world.statusOf()).toContain('Failed ProviderRejected');
    expect(world.events()).toEqual(['ProviderRejected: InvalidPort: port 0 is not valid']);
  });

  it('waits, reported once, when ARM refuses it with a code that nobody knows, and runs when that passes', async () => {
    const world = await createWorld();
    const fault: Fault = { kind: 'rejected', code: 'OutOfCheese', message: 'Redo from start.' };
    world.groups.inject({ method: 'createOrUpdate', moment: 'before', fault, times: 6 });
    world.createPod('exits-0');
    await world.run(60);
    expect(world.statusOf()).toBe('Pending, main: ProviderError');
    expect(world.events()).toEqual([
      'ProviderError: ARM refused the container group, which is tried again: OutOfCheese: Redo from start.',
    ]);
    await world.run(600);
    expect(world.statusOf()).toBe('Succeeded, main: Completed 0');
  });

  it('is tried again ever later when the group cannot be provisioned', async () => {
    let failing = true;
    const fail = (call: string): void => {
      if (!failing || call !== 'groups.createOrUpdate') return;
      for (const name of world.groups.names())
        world.groups.overrideGroup(name, (seen) => ({ ...seen, provisioningState: 'Failed', state: 'Failed' }));
    };
    const world = await createWorld({ wrap: (deps) => hooked(deps, { after: fail }) });
    world.createPod('exits-0');
    await world.run(1800);
    failing = false;
    const tries = world.groups.puts().length;
    expect(tries).toBeGreaterThan(3);
    expect(tries).toBeLessThan(25);
    expect(world.statusOf()).toMatch(/^Pending/);
    await world.run(400);
    expect(world.statusOf()).toBe('Succeeded, main: Completed 0');
  });
});

describe('a pod that ACI can never run', () => {
  const refused = { hostNetwork: true };

  it('is Failed with a reason and an event that name the field', async () => {
    const world = await createWorld();
    world.createPod('exits-0', refused);
    await world.run(3);
    expect(world.pod()?.status).toMatchObject({ phase: 'Failed' });
    expect(world.pod()?.status.message).toContain('spec.hostNetwork');
    expect(world.events()).toHaveLength(1);
    expect(world.events()[0]).toContain('spec.hostNetwork');
    expect(await world.count('groups.', () => world.run(120))).toBeLessThan(10);
    expect(world.groups.puts()).toEqual([]);
  });

  it('stays Pending with one event when it is a DaemonSet’s, and costs ARM nothing', async () => {
    const world = await createWorld();
    const owner = { apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'd', uid: 'd-uid', controller: true };
    world.createPod('exits-0', refused, { ownerReferences: [owner] });
    await world.run(5);
    expect(await world.count('groups.get', () => world.run(4_000))).toBe(0);
    expect(world.statusOf()).toBe('Pending, main: UnsupportedPodSpec');
    expect(world.events()).toHaveLength(1);
    expect(world.groups.puts()).toEqual([]);
  });
});

describe('a pod that ACI can never run, and that its controller replaces', () => {
  const owned = (kind: string) => ({
    ownerReferences: [{ apiVersion: 'x/v1', kind, name: 'o', uid: 'o-uid', controller: true }],
  });

  it('says why at once, and fails only after 5 minutes, so that no storm of pods begins', async () => {
    const world = await createWorld();
    world.createPod('exits-0', { hostNetwork: true, restartPolicy: 'Always' }, owned('ReplicaSet'));
    await world.run(3);
    expect(world.events()).toEqual([expect.stringContaining('spec.hostNetwork')]);
    expect(await world.count('groups.', () => world.run(280))).toBeLessThan(5);
    expect(world.statusOf()).toBe('Pending, main: UnsupportedPodSpec');
    await world.run(30);
    expect(world.statusOf()).toBe('Failed UnsupportedPodSpec, main: UnsupportedPodSpec');
    expect(world.events()).toHaveLength(1);
  });

  it.each([
    { it: 'fails at once when it is a Job’s, which counts it', spec: { restartPolicy: 'Never' }, more: owned('Job') },
    { it: 'fails at once when nobody would make it anew', spec: { restartPolicy: 'Always' }, more: {} },
  ])('$it', async ({ spec, more }) => {
    const world = await createWorld();
    world.createPod('exits-0', { hostNetwork: true, ...spec }, more);
    await world.run(3);
    expect(world.statusOf()).toBe('Failed UnsupportedPodSpec');
  });

  it('can be deleted while it waits', async () => {
    const world = await createWorld();
    world.createPod('exits-0', { hostNetwork: true, restartPolicy: 'Always' }, owned('StatefulSet'));
    await world.run(3);
    world.deletePod();
    await world.run(10);
    expect(world.statusOf()).toBe('gone');
  });
});

describe('a group that somebody else took away', () => {
  it.each([
    {
      it: 'deleted, under Never: Failed, and never PUT again',
      restartPolicy: 'Never',
      puts: 1,
      reported: 'Failed, main: ContainerStatusUnknown 137',
    },
    {
      it: 'deleted, under Always: a second group',
      restartPolicy: 'Always',
      puts: 2,
      reported: 'Running, main: running',
    },
  ])('$it', async ({ restartPolicy, puts, reported }) => {
    const world = await createWorld();
    world.createPod('serves', { restartPolicy });
    await world.run(60);
    world.groups.removeGroup(world.groups.names()[0] ?? '');
    await world.run(200);
    expect([world.statusOf(), world.groups.puts().length]).toEqual([reported, puts]);
    expect(world.events('ContainerGroupLost')).toHaveLength(1);
  });

  it.each([
    {
      it: 'stopped, under Never: Failed',
      restartPolicy: 'Never',
      puts: 1,
      reported: 'Failed, main: ContainerStatusUnknown 137',
    },
    {
      it: 'stopped, under Always: a second group',
      restartPolicy: 'Always',
      puts: 2,
      reported: 'Running, main: running',
    },
  ])('$it', async ({ restartPolicy, puts, reported }) => {
    const world = await createWorld();
    world.createPod('serves', { restartPolicy });
    await world.run(60);
    await world.groups.stop(world.groups.names()[0] ?? '', new AbortController().signal);
    await world.run(200);
    expect([world.statusOf(), world.groups.puts().length]).toEqual([reported, puts]);
  });

  it('is not lost while ARM is only slow to show it', async () => {
    const world = await createWorld({ visibleAfterMs: 12_000 });
    world.createPod('exits-0');
    await world.run(80);
    expect([world.statusOf(), world.groups.puts().length]).toEqual(['Succeeded, main: Completed 0', 1]);
  });
});

describe('a group of our name with another owner’s tags', () => {
  it('is neither adopted nor touched', async () => {
    const world = await createWorld();
    const other = await createWorld();
    other.createPod('serves', {}, { uid: 'u-1' });
    await other.run(10);
    const name = other.groups.names()[0] ?? '';
    const body = other.groups.readGroup(name)?.body;
    if (body === undefined) throw new Error('no group');
    const tags = { ...body.tags, 'kubernetes-cluster': 'another' };
    world.groups.addGroup({ name, body: { ...body, tags } });
    world.createPod('serves', {}, { uid: 'u-1' });
    await world.run(30);
    expect([world.statusOf(), world.groups.puts().length]).toEqual(['Pending', 0]);
    expect(world.events('GroupNameTaken')).toHaveLength(1);
    world.deletePod();
    await world.run(60);
    expect([world.statusOf(), world.groups.names()]).toEqual(['gone', [name]]);
  });
});
