import { describe, expect, it } from 'vitest';
import { noticeEvent, podEvents, reasonEvent } from '../../../shared/core/pod-events/table.ts';
import type { PodEvent } from '../../../shared/core/pod-events/pod-event.ts';
import { renderedEvent } from './rendered-event.ts';

const main = { member: 'containers', name: 'main', image: 'busybox:1.36' } as const;
const init = { member: 'initContainers', name: 'first', image: 'acr.io/a@sha256:0' } as const;
const pod = { name: 'p', namespace: 'shop', uid: 'u' };

describe('the events of pods, in the words of a kubelet', () => {
  it.each<[PodEvent, string, PodEvent['repetition']]>([
    [
      podEvents.created.of('g', { cpu: 1.5, memoryInGB: 2 }),
      'Normal Created: Created container group g (cpu 1.5, memory 2 GB)',
      'once',
    ],
    [podEvents.pulling.of(main), 'Normal Pulling spec.containers{main}: Pulling image "busybox:1.36"', 'once'],
    [
      podEvents.pulled.of(init, 3),
      'Normal Pulled spec.initContainers{first}: Successfully pulled image "acr.io/a@sha256:0" in 3s',
      'once',
    ],
    [
      podEvents.pulled.of(main, 0),
      'Normal Pulled spec.containers{main}: Successfully pulled image "busybox:1.36"',
      'once',
    ],
    [podEvents.started.of(main), 'Normal Started spec.containers{main}: Started container main', 'each-time'],
    [podEvents.killing.of(main), 'Normal Killing spec.containers{main}: Stopping container main', 'once'],
    [podEvents.deadlineExceeded.of('over'), 'Normal DeadlineExceeded: over', 'once'],
    [
      podEvents.backOffRestarting.of(main, pod),
      'Warning BackOff spec.containers{main}: Back-off restarting failed container main in pod p_shop(u)',
      'while-it-lasts',
    ],
    [
      podEvents.backOffPulling.of(main),
      'Normal BackOff spec.containers{main}: Back-off pulling image "busybox:1.36"',
      'while-it-lasts',
    ],
    [
      podEvents.pullFailed.of(main, 'not found'),
      'Warning Failed spec.containers{main}: Failed to pull image "busybox:1.36": not found',
      'while-it-lasts',
    ],
    [
      podEvents.failed.of(main, 'secret "s" not found'),
      'Warning Failed spec.containers{main}: Error: secret "s" not found',
      'while-it-lasts',
    ],
    [
      podEvents.failed.of(main, 'Error: no such file'),
      'Warning Failed spec.containers{main}: Error: no such file',
      'while-it-lasts',
    ],
    [podEvents.inspectFailed.of(main, 'm'), 'Warning InspectFailed spec.containers{main}: m', 'while-it-lasts'],
    [podEvents.neverPulled.of(main, 'm'), 'Warning ErrImageNeverPull spec.containers{main}: m', 'while-it-lasts'],
    [podEvents.failedMount.of('m'), 'Warning FailedMount: m', 'while-it-lasts'],
    [podEvents.imageNotChanged.of(main, 'm'), 'Warning ImageNotChanged spec.containers{main}: m', 'while-it-lasts'],
    [
      podEvents.groupLost.of('g', true),
      'Warning ContainerGroupLost: Azure took the Spot capacity of container group g back, or somebody stopped or deleted it',
      'while-it-lasts',
    ],
    [
      podEvents.groupLost.of('g', false),
      'Warning ContainerGroupLost: Container group g was stopped or deleted outside of Kubernetes',
      'while-it-lasts',
    ],
    [
      podEvents.groupNameTaken.of('g'),
      'Warning GroupNameTaken: Container group g exists with the tags of another owner; remove it or change INSTALLATION',
      'while-it-lasts',
    ],
    [
      podEvents.logCut.of(main),
      'Normal LogCut spec.containers{main}: The log of container main probably begins in the middle: Azure Container Instances shows the last 16 KB or 1,000 lines of a container that has ended',
      'once',
    ],
    [podEvents.logNotKept.of('m'), 'Warning LogNotKept: m', 'once'],
    [
      reasonEvent({ reason: 'ProviderCapacity', message: 'no room' }),
      'Warning ProviderCapacity: no room',
      'while-it-lasts',
    ],
    [noticeEvent({ reason: 'MetByIsolation', message: 'm' }), 'Normal MetByIsolation: m', 'once'],
    [
      noticeEvent({ type: 'Warning', reason: 'TokenNotRenewed', message: 'm' }),
      'Warning TokenNotRenewed: m',
      'while-it-lasts',
    ],
  ])('%j', (event, reported, repetition) => {
    expect([renderedEvent(event), event.repetition]).toEqual([reported, repetition]);
  });
});
