/** What a group with the agent in it comes to: install is in no status, and sidecars are ordinary containers of the group. */
import { describe, expect, it } from 'vitest';
import { agentTags } from '../../../shared/core/agent/agent-tags.ts';
import type { GroupObservation, InstanceView, ObservedContainer } from '../../../shared/core/group/group.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import { containerEvents } from '../../../shared/core/pod-events/container-events.ts';
import {
  deletedStatus,
  groupCondition,
  podStatusFromGroup,
  provisioningFault,
} from '../../../shared/core/status/status.ts';
import { at, container, ended, groupOf, hostIP, podOf, running, t0, viewOf, waiting } from './builders.ts';

const tags = agentTags({ digest: 'sha256:1', kid: 'r1', nonce: 'n' });
const one = (name: string, instanceView?: InstanceView): ObservedContainer => ({
  name,
  image: `${name}:1`,
  ...(instanceView && { instanceView }),
});
const withAgent = (install: InstanceView, changes: Partial<GroupObservation> = {}): GroupObservation => {
  const group = groupOf({}, changes);
  return { ...group, tags, initContainers: [one('sk-install', install), ...group.initContainers], ...changes };
};
const statusOf = (pod: Pod, group: GroupObservation) => podStatusFromGroup({ pod, group, hostIP, now: t0 });

/** A task with an init container of ACI's, a sidecar and one behind it. */
const base = podOf({ policy: 'Never', init: ['first', 'proxy', 'second'] });
const pod: Pod = {
  ...base,
  spec: {
    ...base.spec,
    initContainers: [container('first'), container('proxy', { restartPolicy: 'Always' }), container('second')],
  },
};
const done = viewOf(ended(0, 1, 2));
const group = (proxy: InstanceView, second: InstanceView, main: InstanceView): GroupObservation => ({
  ...groupOf({}, { restartPolicy: 'Never' }),
  tags,
  initContainers: [one('sk-install', done), one('first', done)],
  containers: [one('proxy', proxy), one('second', second), one('main', main)],
});

describe('sidecars among the containers of a group', () => {
  it('have the status of init containers, in the order of the pod', () => {
    const status = statusOf(pod, group(viewOf(running(3)), viewOf(ended(0, 4, 5)), viewOf(running(6))));
    expect(status.initContainerStatuses.map(({ name, state, ready }) => [name, state.kind, ready])).toEqual([
      ['first', 'terminated', true],
      ['proxy', 'running', true],
      ['second', 'terminated', true],
    ]);
    expect([status.phase, status.containerStatuses.length]).toEqual(['Running', 1]);
  });

  it('hold the end of a pod back until they have ended, and count for nothing in it', () => {
    const mainEnded = (code: number, proxy: InstanceView) =>
      statusOf(pod, group(proxy, viewOf(ended(0, 4, 5)), viewOf(ended(code, 6, 8)))).phase;
    expect([0, 7].map((code) => mainEnded(code, viewOf(running(3))))).toEqual(['Running', 'Running']);
    expect([0, 7].map((code) => mainEnded(code, viewOf(ended(143, 3, 9))))).toEqual(['Succeeded', 'Failed']);
  });

  it('have events of init containers', () => {
    const seen = group(viewOf(running(3)), viewOf(waiting()), viewOf(waiting()));
    const events = containerEvents({ pod, group: seen, status: statusOf(pod, seen), now: t0 });
    expect(events.filter(({ reason }) => reason === 'Started').map((event) => event.container)).toEqual([
      { member: 'initContainers', name: 'first' },
      { member: 'initContainers', name: 'proxy' },
    ]);
  });
});

describe('install', () => {
  const simple = podOf({ policy: 'Never' });

  it('is in no status, whatever it does', () => {
    const seen = withAgent(done);
    const { initContainerStatuses, containerStatuses } = statusOf(simple, seen);
    expect([initContainerStatuses, containerStatuses.map(({ name }) => name)]).toEqual([[], ['main']]);
    expect(deletedStatus({ pod: simple, group: seen, now: t0 }).initContainerStatuses).toEqual([]);
  });

  it.each([
    [120, 'a volume or /etc/hosts could not be prepared'],
    [119, 'the app could not be reached'],
    [123, 'what is in its folder can not be executed'],
    [124, 'there is no space left'],
    [1, 'it has failed'],
  ])('that failed with %i is what the containers wait for, while it is run again', (code, why) => {
    const again = viewOf(waiting('CrashLoopBackOff'), { restartCount: 1, previousState: ended(code, 1, 2) });
    const message = `the agent could not prepare the group: ${why} (exit code ${code})`;
    expect(statusOf(podOf(), withAgent(again)).containerStatuses[0]?.state).toEqual({
      kind: 'waiting',
      reason: 'CreateContainerError',
      message,
    });
  });

  it('whose image can not be pulled is what they wait for', () => {
    const events = [
      {
        name: 'Failed',
        message: 'Failed to pull image "agent@sha256:1": 401',
        type: 'Warning',
        count: 1,
        firstTimestamp: at(1),
        lastTimestamp: at(1),
      },
    ];
    const seen = withAgent(viewOf(waiting(), { events }));
    expect(statusOf(simple, seen).containerStatuses[0]?.state).toMatchObject({ reason: 'ErrImagePull' });
  });

  it('is waited for without a word while it goes on', () =>
    expect(statusOf(simple, withAgent(viewOf(running(1)))).containerStatuses[0]?.state).toEqual({
      kind: 'waiting',
      reason: 'ContainerCreating',
    }));

  it('that ended a group before it began makes it one that was never provisioned', () => {
    const seen = withAgent(viewOf(ended(122, 1, 2)), {
      state: 'Failed',
      restartPolicy: 'Never',
      containers: [one('main')],
    });
    expect(groupCondition(seen)).toBe('failed-to-provision');
    expect(provisioningFault(seen)).toEqual({
      kind: 'unknown',
      reason: 'ProviderFailed',
      message: 'the agent could not prepare the group: its folder can not be written to (exit code 122)',
    });
    expect(groupCondition({ ...seen, tags: {} })).toBe('ended');
    const ran = { ...seen, containers: [one('main', viewOf(ended(1, 3, 4)))] };
    expect(groupCondition(ran)).toBe('ended');
  });
});
