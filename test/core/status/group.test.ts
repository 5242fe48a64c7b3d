import { describe, expect, it } from 'vitest';
import { imageIdFromEvents, repositoryName } from '../../../shared/core/status/image-id.ts';
import {
  groupCondition,
  hasEnded,
  isProvisioned,
  isTransitioning,
  provisioningFault,
} from '../../../shared/core/status/status.ts';
import { ended, eventOf, groupOf, initOf, podOf, running, viewOf, waiting } from './builders.ts';

describe('where a group is in its life', () => {
  it.each([
    ['Pending', 'Pending', 'provisioning', false, true],
    ['Creating', 'Pending', 'provisioning', false, true],
    ['Accepted', '', 'provisioning', false, true],
    ['Succeeded', 'Pending', 'provisioning', true, false],
    ['Succeeded', 'Running', 'running', true, false],
    ['Succeeded', 'Succeeded', 'ended', true, false],
    ['Succeeded', 'Failed', 'ended', true, false],
    ['Succeeded', 'Stopped', 'stopped', true, false],
    ['Updating', 'Running', 'running', true, true],
    ['Repairing', 'Running', 'running', true, true],
    ['Unhealthy', 'Running', 'running', true, false],
    ['SomethingNew', 'Running', 'running', true, false],
    ['Failed', 'Pending', 'failed-to-provision', false, false],
    ['Canceled', 'Pending', 'failed-to-provision', false, false],
    ['Deleting', 'Running', 'deleting', false, true],
  ])('%s and %s: %s', (...[provisioningState, state, condition, provisioned, transitioning]) => {
    const group = groupOf({}, { provisioningState, state });
    expect([groupCondition(group), isProvisioned(group), isTransitioning(group)]).toEqual([
      condition,
      provisioned,
      transitioning,
    ]);
  });

  it.each([
    ['a container runs', 'Never', { main: viewOf(running(1)) }, {}, false],
    ['all ended under Never', 'Never', { main: viewOf(ended(3, 1, 2)) }, {}, true],
    ['it failed under OnFailure', 'OnFailure', { main: viewOf(ended(3, 1, 2)) }, {}, false],
    ['it succeeded under OnFailure', 'OnFailure', { main: viewOf(ended(0, 1, 2)) }, {}, true],
    ['it succeeded under Always', 'Always', { main: viewOf(ended(0, 1, 2)) }, {}, false],
    [
      'ACI runs again what is over',
      'Never',
      { main: viewOf(running(9), { restartCount: 1, previousState: ended(0, 1, 2) }) },
      {},
      true,
    ],
    ['it was stopped', 'Always', { main: undefined }, { state: 'Stopped' }, true],
  ] as const)('has ended or not when %s', (...[, policy, views, changes, expected]) => {
    expect(hasEnded(groupOf(views, changes), podOf({ policy }))).toBe(expected);
  });

  it('has ended when an init container failed for good', () => {
    const group = groupOf({ main: viewOf(waiting()) }, { initContainers: initOf({ one: viewOf(ended(1, 1, 2)) }) });
    expect([
      hasEnded(group, podOf({ policy: 'Never', init: ['one'] })),
      hasEnded(group, podOf({ policy: 'OnFailure', init: ['one'] })),
    ]).toEqual([true, false]);
  });
});

describe('why a group could not be provisioned', () => {
  const noCapacity = {
    name: 'InsufficientCapacity.',
    message: "The requested resource is not available in the location 'uksouth' at this moment.",
  };
  const mount = eventOf('FailedMount', 'Output: mount error(2): Permission denied');
  const pull = eventOf('Failed', 'Failed to pull image "x": not found');
  it.each([
    [
      'capacity, from the operation',
      {},
      [noCapacity],
      { kind: 'capacity', reason: 'ProviderCapacity', message: noCapacity.message },
    ],
    [
      'a mount, from the group',
      { events: [mount] },
      [],
      { kind: 'mount', reason: 'FailedMount', message: mount.message },
    ],
    [
      'the image, from a container',
      { containers: initOf({ main: viewOf(waiting(), { events: [pull] }) }) },
      [],
      { kind: 'image', reason: 'ErrImagePull', message: pull.message },
    ],
    [
      'what nobody knows',
      {},
      [{ name: 'Odd', message: '' }],
      { kind: 'unknown', reason: 'ProviderFailed', message: 'Odd' },
    ],
    [
      'silence',
      {},
      undefined,
      {
        kind: 'unknown',
        reason: 'ProviderFailed',
        message: "The container group's provisioning ended as Failed, without a reason.",
      },
    ],
  ])('%s', (_, changes, operation, expected) => {
    expect(
      provisioningFault(groupOf({}, { provisioningState: 'Failed', state: 'Pending', ...changes }), operation),
    ).toEqual(expected);
  });

  it('of a group that only waited names the subnet, which may be full', () => {
    const late = { ...eventOf('Failed', 'The container group was not provisioned in time.', 9), type: 'Warning' };
    const group = groupOf({}, { provisioningState: 'Failed', state: 'Pending', events: [late] });
    expect(provisioningFault(group)).toMatchObject({
      kind: 'unknown',
      message: expect.stringMatching(
        /^The container group was not provisioned in time\. In a subnet .* free addresses/,
      ),
    });
  });

  it('is asked only when it failed', () => {
    expect(provisioningFault(groupOf({}, { events: [mount] }))).toBeUndefined();
  });
});

describe("the image's id", () => {
  const a = `sha256:${'a'.repeat(64)}`;
  const b = `sha256:${'b'.repeat(64)}`;
  it.each([
    [
      'the newest Pulled event',
      [
        eventOf('Pulled', `Successfully pulled image "x.io/n@${b}"`, 9),
        eventOf('Pulled', `Successfully pulled image "x.io/n@${a}"`, 5),
      ],
      `x.io/n@${b}`,
    ],
    ['Pulling, while nothing is pulled', [eventOf('Pulling', `pulling image "n/x@${a}"`)], `docker.io/n/x@${a}`],
    [
      'nothing, where only a tag is named',
      [eventOf('Pulled', 'Successfully pulled image "nginx" in 10.8s')],
      undefined,
    ],
  ])('comes from %s', (_, events, expected) => {
    expect(imageIdFromEvents(events)).toBe(expected);
  });

  it.each([
    ['alpine', 'docker.io/library/alpine'],
    ['alpine:3.20', 'docker.io/library/alpine'],
    ['bitnami/redis', 'docker.io/bitnami/redis'],
    ['localhost/a', 'localhost/a'],
    ['localhost:5000/a:1', 'localhost:5000/a'],
    ['mcr.microsoft.com/a/b:1', 'mcr.microsoft.com/a/b'],
  ])('names %s as %s', (reference, name) => {
    expect(repositoryName(reference)).toBe(name);
  });
});
