import * as z from 'zod';
import { parseLease } from '../../../shared/wire/kubernetes/lease.ts';
import { stringMap } from '../../../shared/wire/kubernetes/meta.ts';
import { ageSeconds } from './cluster-objects.ts';
import type { DeploymentFacts, LeaderFacts, ServiceFacts } from './cluster-judgements.ts';

const deploymentSchema = z.object({
  metadata: z.object({ labels: stringMap }),
  spec: z.object({ replicas: z.number().default(1) }),
  status: z.object({ readyReplicas: z.number().default(0), availableReplicas: z.number().default(0) }).prefault({}),
});

export function parseDeployment(json: unknown): DeploymentFacts | undefined {
  const parsed = deploymentSchema.safeParse(json).data;
  return (
    parsed && {
      replicas: parsed.spec.replicas,
      ready: parsed.status.readyReplicas,
      available: parsed.status.availableReplicas,
      chart: parsed.metadata.labels['helm.sh/chart'] ?? '',
    }
  );
}

export function parseLeader(json: unknown, serverMs: number | undefined): LeaderFacts | undefined {
  const lease = parseLease(json);
  if (lease === undefined) return undefined;
  const { holderIdentity: holder, renewTimeMicros } = lease;
  if (renewTimeMicros === 0 || serverMs === undefined) return { holder };
  return { holder, ageSeconds: ageSeconds(serverMs, renewTimeMicros / 1000) };
}

const serviceSchema = z.object({
  spec: z.object({
    clusterIP: z.string().nullish(),
    clusterIPs: z.array(z.string()).nullish(),
    ports: z.array(z.object({ port: z.number() })).default([]),
  }),
  status: z
    .object({
      loadBalancer: z.object({ ingress: z.array(z.object({ ip: z.string().nullish() })).nullish() }).nullish(),
    })
    .prefault({}),
});

export function parseService(json: unknown): ServiceFacts | undefined {
  const parsed = serviceSchema.safeParse(json).data;
  if (parsed === undefined) return undefined;
  const { clusterIP, clusterIPs, ports } = parsed.spec;
  const balanced = parsed.status.loadBalancer?.ingress?.flatMap(({ ip }) => ip ?? []) ?? [];
  const addresses = new Set([...(clusterIPs ?? []), ...(clusterIP ? [clusterIP] : []), ...balanced]);
  addresses.delete('None');
  return { addresses: [...addresses], ports: ports.map(({ port }) => port) };
}
