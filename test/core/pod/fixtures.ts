import type { Result } from '../../../shared/core/fault.ts';
import type { ImageConfig } from '../../../shared/core/image/image-config.ts';
import type { Pod } from '../../../shared/core/kubernetes/pod.ts';
import type { ConfigMapData, PodToken, SecretData } from '../../../shared/core/kubernetes/references.ts';
import type {
  NodeFacts,
  ResolvedClaim,
  ResolvedReferences,
  Translation,
} from '../../../shared/core/pod/translation.ts';
import { translatePod } from '../../../shared/core/pod/translate.ts';
import { parsePod } from '../../../shared/wire/pod.ts';

export const facts: NodeFacts = {
  installation: 'sk',
  cluster: '7d5a3c1e-0000-4000-8000-000000000001',
  node: 'aci-1',
  location: 'westeurope',
  hostIP: '10.0.0.7',
  allocatable: { cpu: '100', memory: '400Gi' },
  apiServer: { host: 'api.example', port: 443 },
  securityPolicy: 'compatible',
  realtimeMetrics: true,
  maxGroup: { cpu: 31, memoryInGB: 240 },
};

/** An installation whose agent is published. */
export const agent: NonNullable<NodeFacts['agent']> = {
  mode: 'auto',
  image: `agents.azurecr.io/serverless-kubelet/agent@sha256:${'a9'.repeat(32)}`,
};

/** What the app makes anew for each PUT. */
export const access: NonNullable<ResolvedReferences['agent']> = {
  reportUrl: 'https://app.example/api/pods/b7a0f6d2-0000-4000-8000-000000000002/reports',
  filesUrl: 'https://app.example/api/pods/b7a0f6d2-0000-4000-8000-000000000002/files',
  kid: 'r1',
  key: Buffer.from('k3y-0f-th3-p0d-and-th3-put').toString('base64'),
  nonce: 'n0nce',
};

/** Behind what only the agent gives, where there is none. */
export const needsAgent = '; the agent would give it, and there is none here yet: kubectl aci agent publish';

export const subnetId = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/aci';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

export const secret = (data: Record<string, string>, type = 'Opaque'): SecretData => ({
  type,
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, encode(value)])),
});

export const configMap = (data: Record<string, string>): ConfigMapData => ({ data, binaryData: {} });

export const resolved = (
  parts: {
    configMaps?: Record<string, ConfigMapData>;
    secrets?: Record<string, SecretData>;
    services?: ResolvedReferences['services'];
    tokens?: readonly PodToken[];
    trustBundles?: Record<string, readonly string[]>;
    claims?: Record<string, ResolvedClaim>;
    images?: Record<string, Result<ImageConfig>>;
    agent?: ResolvedReferences['agent'];
  } = {},
): ResolvedReferences => ({
  configMaps: new Map(Object.entries(parts.configMaps ?? {})),
  secrets: new Map(Object.entries(parts.secrets ?? {})),
  claims: new Map(Object.entries(parts.claims ?? {})),
  services: parts.services ?? [],
  tokens: parts.tokens ?? [],
  trustBundles: new Map(Object.entries(parts.trustBundles ?? {})),
  images: new Map(Object.entries(parts.images ?? {})),
  ...(parts.agent && { agent: parts.agent }),
});

export type Raw = Record<string, unknown>;

/** What the API server fills in for every pod. */
const podDefaults: Raw = {
  restartPolicy: 'Always',
  terminationGracePeriodSeconds: 30,
  dnsPolicy: 'ClusterFirst',
  serviceAccountName: 'default',
  serviceAccount: 'default',
  automountServiceAccountToken: true,
  nodeName: 'aci-1',
  securityContext: {},
  schedulerName: 'default-scheduler',
  tolerations: [
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
  ],
  priority: 0,
  enableServiceLinks: true,
  preemptionPolicy: 'PreemptLowerPriority',
};

const containerDefaults: Raw = {
  resources: {},
  terminationMessagePath: '/dev/termination-log',
  terminationMessagePolicy: 'File',
  imagePullPolicy: 'Always',
};

export const rawContainer = (more: Raw = {}): Raw => ({
  name: 'main',
  image: 'busybox',
  ...containerDefaults,
  ...more,
});

export function podOf(spec: Raw = {}, metadata: Raw = {}): Pod {
  const pod = parsePod({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'web',
      namespace: 'shop',
      uid: 'b7a0f6d2-0000-4000-8000-000000000002',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec: { ...podDefaults, containers: [rawContainer()], ...spec },
    status: { phase: 'Pending', qosClass: 'BestEffort' },
  });
  if (pod === undefined) throw new Error('the fixture is no pod');
  return pod;
}

/** A pod of one container. */
export const withContainer = (more: Raw, spec: Raw = {}): Pod => podOf({ containers: [rawContainer(more)], ...spec });

export function translated(
  pod: Pod,
  references = resolved(),
  nodeFacts: NodeFacts = facts,
): Extract<Translation, { kind: 'group' }> {
  const translation = translatePod(pod, nodeFacts, references);
  if (translation.kind !== 'group') throw new Error(`no group: ${translation.message}`);
  return translation;
}

/** Name → value, or `secret:value`. */
export function environmentOf(pod: Pod, references = resolved(), nodeFacts: NodeFacts = facts): Record<string, string> {
  const variables = translated(pod, references, nodeFacts).body.containers[0]?.environmentVariables ?? [];
  return Object.fromEntries(
    variables
      .filter(({ name }) => !name.startsWith('KUBERNETES_'))
      .map((variable) => [variable.name, variable.value ?? `secret:${variable.secureValue}`]),
  );
}
