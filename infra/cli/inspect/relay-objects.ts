import * as z from 'zod';
import { instantMs } from '../../../shared/core/status/time.ts';
import { stringMap } from '../../../shared/wire/kubernetes/meta.ts';
import { ageSeconds } from './cluster-objects.ts';
import type { DeploymentFacts, LeaderFacts, ServiceFacts } from './cluster-judgements.ts';

const deploymentSchema = z.object({
  metadata: z.object({ labels: stringMap }),
  spec: z.object({ replicas: z.number().default(1) }),
  status: z.object({ readyReplicas: z.number().default(0) }).prefault({}),
});

export function parseDeployment(json: unknown): DeploymentFacts | undefined {
  const parsed = deploymentSchema.safeParse(json).data;
  return (
    parsed && {
      replicas: parsed.spec.replicas,
      ready: parsed.status.readyReplicas,
      chart: parsed.metadata.labels['helm.sh/chart'] ?? '',
    }
  );
}

const leaderSchema = z.object({
  spec: z.object({ holderIdentity: z.string().nullish(), renewTime: z.string().nullish() }).prefault({}),
});

export function parseLeader(json: unknown, serverMs: number | undefined): LeaderFacts | undefined {
  const parsed = leaderSchema.safeParse(json).data;
  if (parsed === undefined) return undefined;
  const renewedMs = instantMs(parsed.spec.renewTime ?? undefined);
  const age = renewedMs === undefined || serverMs === undefined ? {} : { ageSeconds: ageSeconds(serverMs, renewedMs) };
  return { holder: parsed.spec.holderIdentity ?? '', ...age };
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
