import { prometheusText } from '../../../../shared/core/resource-metrics/prometheus-text.ts';
import type { PodKey } from '../../../../shared/wire/relay-protocol/pod-events.ts';

/** How often a container's readiness probe was made, by its result. */
export interface ProbeCount {
  readonly pod: Pick<PodKey, 'node' | 'namespace' | 'name' | 'uid'>;
  readonly container: string;
  readonly successful: number;
  readonly failed: number;
}

const results = ['successful', 'failed'] as const;

/** What a kubelet shows at `/metrics/probes`: each result that has been seen. */
export const probeText = (counts: readonly ProbeCount[]): string =>
  prometheusText([
    {
      name: 'prober_probe_total',
      type: 'counter',
      help: 'Cumulative number of a liveness, readiness or startup probe for a container by result.',
      samples: counts.flatMap(({ pod, container, ...of }) =>
        results
          .filter((result) => of[result] > 0)
          .map((result) => ({
            labels: [
              ['container', container],
              ['namespace', pod.namespace],
              ['pod', pod.name],
              ['pod_uid', pod.uid],
              ['probe_type', 'Readiness'],
              ['result', result],
            ] as const,
            value: of[result],
          })),
      ),
    },
  ]);
