import { describe, expect, it } from 'vitest';
import type { ContainerStatus, PodStatus } from '../../../shared/core/kubernetes/pod.ts';
import { statusToWrite } from '../../../shared/core/status/status-change.ts';
import { podOf } from './builders.ts';

const waiting: ContainerStatus = {
  name: 'main',
  image: 'main:1',
  imageID: '',
  ready: false,
  started: false,
  restartCount: 0,
  state: { kind: 'waiting', reason: 'ContainerCreating' },
};
const statusOf = (changes: Partial<ContainerStatus>): PodStatus => ({
  phase: 'Pending',
  conditions: [],
  initContainerStatuses: [],
  containerStatuses: [{ ...waiting, ...changes }],
});
const pulled = { imageID: 'main@sha256:1' };
const end = { kind: 'terminated', exitCode: 1, reason: 'Error' } as const;

describe('what is worth a write', () => {
  it.each([
    ['not that the image of a container was pulled that has not started', {}, pulled, false],
    [
      'the image with the start',
      {},
      { ...pulled, state: { kind: 'running', startedAt: '2026-11-23T05:00:00Z' } },
      true,
    ],
    [
      'another image of a container that waits for its restart',
      { lastState: end },
      { ...pulled, lastState: end },
      true,
    ],
    ['another reason to wait', {}, { state: { kind: 'waiting', reason: 'ErrImagePull' } }, true],
  ] as const)('%s', (_, before, after, isWorth) => {
    expect(
      statusToWrite(podOf({ status: statusOf(before) }), podOf({ status: statusOf(after) }).status) !== undefined,
    ).toBe(isWorth);
  });
});
