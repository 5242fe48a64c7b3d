import type { Pod } from '../kubernetes/pod.ts';
import { currentReports } from '../status/readiness.ts';
import type { ReadinessReport } from '../status/readiness.ts';
import { containersOf } from './pod-event.ts';
import type { PodEvent } from './pod-event.ts';
import { podEvents } from './table.ts';

/** Of each readiness probe that failed, as a kubelet writes it. */
export const readinessEvents = (pod: Pod, reports: readonly ReadinessReport[]): readonly PodEvent[] =>
  currentReports(pod, reports).flatMap(({ container: name, message }) => {
    const container = containersOf(pod).find((one) => one.member === 'containers' && one.name === name);
    if (container === undefined || message === undefined) return [];
    return [podEvents.notReady.of(container, `Readiness probe failed: ${message}`)];
  });
