import type { MeasuredPod } from '../../../shared/core/resource-metrics/measured-pod.ts';
import type { ContainerReading, PodReading } from '../../../shared/core/resource-metrics/pod-usage.ts';

export const noon = Date.parse('2026-11-23T12:00:00Z');
export const at = (seconds: number): number => noon + seconds * 1000;

export const measured = (changes: Partial<MeasuredPod> = {}): MeasuredPod => ({
  node: 'aci-1',
  namespace: 'default',
  name: 'web',
  uid: 'u-1',
  startedAt: '2026-11-23T11:59:50Z',
  containers: [{ name: 'app', startedAt: '2026-11-23T12:00:00Z' }],
  most: { cores: 2, bytes: 2e9 },
  address: '10.0.0.4',
  ...changes,
});

export const use = (name: string, cpuSeconds: number, megabytes = 50): ContainerReading => ({
  name,
  cpuNanoSeconds: cpuSeconds * 1e9,
  memory: { workingSetBytes: megabytes * 1e6, usageBytes: (megabytes + 10) * 1e6, rssBytes: (megabytes - 5) * 1e6 },
});

export const reading = (seconds: number, ...containers: readonly ContainerReading[]): PodReading => ({
  atMs: at(seconds),
  containers,
});
