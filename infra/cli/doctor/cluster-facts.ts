import * as z from 'zod';
import { instantMs } from '../../../shared/core/status/time.ts';
import { parseJson } from '../../../shared/wire/json-text.ts';
import { stringMap } from '../../../shared/wire/kubernetes/meta.ts';
import { appRules } from '../../../shared/core/access/roles.ts';
import type { ClusterRegistration } from '../../../shared/wire/settings.ts';
import { ageSeconds } from '../status/cluster-objects.ts';
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

const resourceList = z.object({ resources: z.array(z.object({ name: z.string() })).default([]) });

/** Names of an `APIResourceList`. */
export const parseResources = (json: unknown): readonly string[] | undefined =>
  resourceList.safeParse(json).data?.resources.map(({ name }) => name);

const groupSchema = z.object({ versions: z.array(z.object({ version: z.string() })) });

/** Versions of an `APIGroup`. */
export const parseVersions = (json: unknown): readonly string[] | undefined =>
  groupSchema.safeParse(json).data?.versions.map(({ version }) => version);

const versionSchema = z.object({ gitVersion: z.string() });

export const parseVersion = (json: unknown): string | undefined => versionSchema.safeParse(json).data?.gitVersion;

/** Who the app is toward a cluster, as RBAC names it. */
export interface Subject {
  readonly user: string;
  readonly groups: readonly string[];
}

const claims = z.object({ sub: z.string().startsWith('system:serviceaccount:') });

/**
 * Of a registration: with Entra the object id of its identity; with a token whom the token's own claims name. Undefined
 * when neither is known. The token is only decoded, and no part of it but the name is kept.
 */
export function subjectOf(
  { auth }: Pick<ClusterRegistration, 'auth'>,
  known: { readonly principalId: string | undefined; readonly values: Readonly<Record<string, string>> },
): Subject | undefined {
  if (auth.kind === 'entra') {
    const { principalId } = known;
    return principalId === undefined ? undefined : { user: principalId, groups: ['system:authenticated'] };
  }
  const user = tokenSubject(known.values[auth.setting] ?? '');
  const [, , namespace] = user?.split(':') ?? [];
  if (user === undefined || namespace === undefined) return undefined;
  const groups = ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'];
  return { user, groups };
}

function tokenSubject(token: string): string | undefined {
  try {
    const payload = Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8');
    return claims.safeParse(JSON.parse(payload)).data?.sub;
  } catch {
    return undefined;
  }
}

/** One right that the chart gives the app, and the review that asks for it. */
export interface RightReview {
  readonly right: string;
  readonly review: object;
}

/** Every right of the app's role (`shared/core/access`), one review each. */
export function rightReviews(nodes: readonly string[], { user, groups }: Subject): readonly RightReview[] {
  return appRules(nodes).flatMap(({ apiGroups, resources, verbs, resourceNames = [] }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs.flatMap((verb) =>
          resourceNames.map((name) => ({
            right: `${verb} ${resource} ${name}`,
            review: {
              apiVersion: 'authorization.k8s.io/v1',
              kind: 'SubjectAccessReview',
              spec: { user, groups, resourceAttributes: { verb, group, resource, name } },
            },
          })),
        ),
      ),
    ),
  );
}

const reviewed = z.object({ status: z.object({ allowed: z.boolean() }) });

/** Of an answered review; what is no review allows nothing. */
export const parseAllowed = (text: string): boolean =>
  reviewed.safeParse(parseJson(text)).data?.status.allowed ?? false;
