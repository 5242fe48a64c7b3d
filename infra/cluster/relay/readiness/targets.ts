import * as z from 'zod';
import { probe } from '../../../../shared/wire/probe.ts';
import type { Probe } from '../../../../shared/core/kubernetes/pod.ts';
import { needsAgentForProbes, probedPort } from '../../../../shared/core/pod/probes.ts';
import { list } from '../../../../shared/wire/kubernetes/meta.ts';

/** One run of a container that has a readiness probe which the relay can make. */
export interface ReadinessTarget {
  readonly container: string;
  /** `state.running.startedAt` of the status: another value is another run. */
  readonly startedAt: string;
  /** What the status says. */
  readonly ready: boolean;
  readonly address: string;
  readonly port: number;
  readonly probe: Probe;
}

const schema = z.object({
  metadata: z.object({ deletionTimestamp: z.string().nullish() }),
  spec: z.object({
    containers: list(
      z.object({
        name: z.string(),
        ports: list(z.object({ name: z.string().nullish(), containerPort: z.number() })),
        readinessProbe: probe.nullish(),
        livenessProbe: probe.nullish(),
        startupProbe: probe.nullish(),
      }),
    ),
  }),
  status: z.object({
    podIP: z.string().nullish(),
    containerStatuses: list(
      z.object({
        name: z.string(),
        ready: z.boolean().default(false),
        state: z.object({ running: z.object({ startedAt: z.string() }).nullish() }).nullish(),
      }),
    ),
  }),
});

type PodShape = z.output<typeof schema>;
type ContainerShape = PodShape['spec']['containers'][number];

function portOf(container: ContainerShape): number | undefined {
  const handler = container.readinessProbe?.handler;
  return handler === undefined || !('port' in handler) ? undefined : probedPort(container, handler.port);
}

/** Then the agent in the pod's group says it. */
const isAgents = ({ readinessProbe, livenessProbe, startupProbe }: ContainerShape): boolean =>
  needsAgentForProbes({
    ...(readinessProbe && { readinessProbe }),
    ...(livenessProbe && { livenessProbe }),
    ...(startupProbe && { startupProbe }),
  });

/** What there is to probe of a `v1.Pod` as JSON: its containers that run, at its address; nothing of one that is deleted. */
export function readinessTargets(json: unknown): readonly ReadinessTarget[] {
  const pod = schema.safeParse(json).data;
  const address = pod?.status.podIP ?? '';
  if (pod === undefined || address === '' || typeof pod.metadata.deletionTimestamp === 'string') return [];
  return pod.spec.containers.flatMap((container) => {
    const status = pod.status.containerStatuses.find(({ name }) => name === container.name);
    const startedAt = status?.state?.running?.startedAt;
    const port = portOf(container);
    if (status === undefined || startedAt === undefined || port === undefined || !container.readinessProbe) return [];
    if (isAgents(container)) return [];
    return [
      { container: container.name, startedAt, ready: status.ready, address, port, probe: container.readinessProbe },
    ];
  });
}
