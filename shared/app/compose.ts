import type { TokenCredential } from '@azure/core-auth';
import { createAgentWords } from '../adapters/agent-words/agent-words.ts';
import { createSessionDial } from '../adapters/sessions/dial.ts';
import { createArmContainerGroups } from '../adapters/arm/container-groups.ts';
import { createCredential } from '../adapters/arm/credential.ts';
import type { AzureCredential, CredentialSettings } from '../adapters/arm/credential.ts';
import { createBudgets } from '../adapters/budgets/budgets.ts';
import { asNode, createKubernetesClient } from '../adapters/kubernetes/client.ts';
import type { KubernetesClient } from '../adapters/kubernetes/client.ts';
import { createClusterApi } from '../adapters/kubernetes/cluster-api.ts';
import { createNodeApi } from '../adapters/kubernetes/node-api.ts';
import { createTokenSource } from '../adapters/kubernetes/token-source.ts';
import { createKeptLogBlobs } from '../adapters/kept-logs/kept-log-blobs.ts';
import { createKeptAgentBlobs } from '../adapters/packaged-agent/kept-agent-blobs.ts';
import type { ImageRegistryConfig } from '../adapters/registry/image-registry.ts';
import { createLazyImageRegistry } from '../adapters/registry/lazy-image-registry.ts';
import { createProbeBlob } from '../adapters/registrations/probe-blob.ts';
import { createRegistrationBlob } from '../adapters/registrations/registration-blob.ts';
import { systemClock } from '../adapters/system-clock.ts';
import { telemetryConfiguration } from '../adapters/telemetry/configuration.ts';
import { createTelemetry } from '../adapters/telemetry/telemetry.ts';
import { createTableStore } from '../adapters/tables/table-store.ts';
import type { Log } from '../ports/log.ts';
import type { KeptAgents } from '../ports/packaged-agent.ts';
import type { CallObserver } from '../ports/telemetry.ts';
import { appUrlOf } from '../wire/agent-facts.ts';
import type { AgentSurroundings } from '../wire/agent-facts.ts';
import { armLimits, armPlace } from '../wire/arm-settings.ts';
import { blobStorage, tableStorage } from '../wire/storage-settings.ts';
import type { ClusterRegistration, NodeRegistration, Settings } from '../wire/settings.ts';
import { createAgentAccess } from './agent-access.ts';
import type { ClusterDeps, Deps, NodeDeps } from './deps.ts';
import { createKnownProbes } from './known-probes.ts';
import type { KnownProbes } from './known-probes.ts';
import { nodeFacts } from './node-facts.ts';
import { observeCalls } from './observe-calls.ts';
import { createRegisteredClusters, findCluster, findNode } from './registered-clusters.ts';
import type { RegisteredClusters } from './registered-clusters.ts';
import { defined } from '../core/defined.ts';

export { readAuthority, readRegistryAuthority } from '../adapters/arm/authority-file.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const requestTimeoutMs = 8_000;
/** Permits taken from a shared row at a time; what is left of them is lost to the others for a while. */
const permitChunk = 4;

/** All that lives as long as the process. */
export interface Composed {
  /** With the clusters of the settings. */
  readonly deps: Deps;
  /** Those with the registered ones; undefined: there are no others. */
  readonly registered: RegisteredClusters | undefined;
  /** Beside the registered ones; undefined: there is no place for them. */
  readonly probes?: KnownProbes;
  readonly keptAgents: KeptAgents;
}

/** What the settings lead to. */
interface Read {
  readonly environment: Environment;
  readonly authorityPem: string | undefined;
  readonly registryAuthorityPem: string | undefined;
  /** Hash of the agent's program in the app's package; undefined: it has none. */
  readonly packagedAgent: string | undefined;
}

/** The composition root: the one place that knows which adapter is behind which port. Calls nothing yet. */
export function compose(
  settings: Settings,
  { environment, authorityPem, registryAuthorityPem, packagedAgent }: Read,
  log: Log,
): Composed {
  const credential = createCredential(credentialSettings(settings, environment));
  const telemetry = createTelemetry(telemetryConfiguration(environment), {
    log,
    open: async (configuration) => {
      const { createPipeline } = await import('../adapters/telemetry/pipeline.ts');
      return createPipeline(configuration, (clientId) =>
        createCredential({
          ...credentialSettings(settings, environment),
          ...defined({ clientId }),
        }),
      );
    },
  });
  const observe = observeCalls(telemetry);
  const store = createTableStore(tableConfig(settings, credential), {
    installation: settings.INSTALLATION,
    log,
    mayBegin: (node) => confirmNode(node),
  });
  const budgets = createBudgets(store, armLimits(settings), {
    chunk: permitChunk,
    log,
    onLeft: (bucket, part) => telemetry.measure('serverless_kubelet.arm.budget', part, { bucket }),
  });
  const groups = createArmContainerGroups({
    ...armPlace(settings),
    credential,
    budgets,
    log,
    observe,
    ...defined({ certificateAuthorityPem: authorityPem }),
  });
  const agent = { appUrl: appUrlOf(settings, environment), packaged: packagedAgent };
  const composeCluster = (cluster: ClusterRegistration): ClusterDeps =>
    clusterDeps(cluster, { settings, environment, credential, observe, agent });
  const confirmCluster: Deps['confirmCluster'] = (uid) =>
    registered?.confirmCluster(uid) ?? Promise.resolve(findCluster(settings.CLUSTERS, uid));
  const confirmNode: Deps['confirmNode'] = async ({ cluster, node }) => {
    const confirmed = await confirmCluster(cluster);
    return confirmed.ok ? findNode(confirmed.value, node) : confirmed;
  };
  const blobs = { storage: blobStorage(settings), installation: settings.INSTALLATION, credential };
  const deps = {
    settings,
    log,
    telemetry,
    store,
    groups,
    keptLogs: createKeptLogBlobs(blobs),
    imageRegistry: createLazyImageRegistry({
      ...imageRegistryConfig(settings, { environment, registryAuthorityPem }),
      observe,
    }),
    agentAccess: createAgentAccess({ appUrl: agent.appUrl, keys: settings.AGENT_ROOT_KEYS, draw }),
    agentWords: createAgentWords({ groups, ...defined({ certificateAuthorityPem: authorityPem }) }),
    dialSession: createSessionDial(defined({ certificateAuthorityPem: authorityPem })),
    clusters: new Map(settings.CLUSTERS.map((cluster) => [cluster.uid, composeCluster(cluster)])),
    random: Math.random,
    instance: crypto.randomUUID(),
    clock: systemClock,
    reserveCreate: () => budgets.reserve('write-create'),
    nodeHints: new Map(),
    startTimes: new Map(),
    withoutFeatures: new Set<string>(),
    confirmNode,
    confirmCluster,
  };
  const { REGISTRATIONS_URL: url } = settings;
  const registered =
    url === undefined
      ? undefined
      : createRegisteredClusters({
          registrations: createRegistrationBlob({ url, credential }),
          fixed: settings.CLUSTERS,
          compose: (cluster) => deps.clusters.get(cluster.uid) ?? composeCluster(cluster),
          hasSetting: (name) => (environment[name] ?? '') !== '',
          clock: systemClock,
          log,
        });
  const probes =
    url === undefined
      ? undefined
      : createKnownProbes({
          records: createProbeBlob({ url, credential }),
          region: settings.AZURE_LOCATION,
          clock: systemClock,
          log,
        });
  return { deps, registered, ...defined({ probes }), keptAgents: createKeptAgentBlobs(blobs) };
}

/** Bytes that nobody can guess. */
const draw = (count: number): Uint8Array => crypto.getRandomValues(new Uint8Array(count));

function credentialSettings(settings: Settings, environment: Environment): CredentialSettings {
  if (settings.ARM_CREDENTIAL === 'default') return { kind: 'default' };
  const { IDENTITY_ENDPOINT: url, IDENTITY_HEADER: header } = environment;
  return {
    kind: 'managed-identity',
    ...defined({ clientId: settings.AZURE_CLIENT_ID }),
    ...(url === undefined || header === undefined ? {} : { endpoint: { url, header } }),
  };
}

/** Registries of Azure are shown the pull identity and never the app's own, which may do more. */
function imageRegistryConfig(
  settings: Settings,
  { environment, registryAuthorityPem }: Pick<Read, 'environment' | 'registryAuthorityPem'>,
): ImageRegistryConfig {
  const { REGISTRY_PULL_CLIENT_ID: clientId } = settings;
  return {
    endpoints: settings.REGISTRY_ENDPOINTS,
    userAgent: `serverless-kubelet/${settings.INSTALLATION}`,
    ...defined({ caPem: registryAuthorityPem }),
    ...(clientId !== undefined && {
      pullIdentity: createCredential(credentialSettings({ ...settings, AZURE_CLIENT_ID: clientId }, environment)),
    }),
  };
}

function tableConfig(settings: Settings, credential: TokenCredential) {
  const storage = tableStorage(settings);
  return storage.kind === 'identity' ? { tableEndpoint: storage.endpoint, credential } : storage;
}

interface Surroundings {
  readonly settings: Settings;
  readonly environment: Environment;
  readonly credential: AzureCredential;
  readonly observe: CallObserver;
  readonly agent: AgentSurroundings;
}

function clusterDeps(registration: ClusterRegistration, surroundings: Surroundings): ClusterDeps {
  const client = createKubernetesClient({
    server: registration.server,
    ...defined({ caPem: registration.certificateAuthority }),
    ...createTokenSource(registration, surroundings),
    requestTimeoutMs,
    userAgent: `serverless-kubelet/${surroundings.settings.INSTALLATION}`,
    observe: surroundings.observe,
  });
  // Only nodes may create TokenReviews; any of ours will do.
  const [first] = registration.nodes;
  const api = createClusterApi(client, first === undefined ? {} : { reviewAsNode: first.name });
  const cluster = { registration, api };
  return {
    ...cluster,
    nodes: new Map(registration.nodes.map((node) => [node.name, nodeDeps(node, { cluster, client, surroundings })])),
  };
}

function nodeDeps(
  registration: NodeRegistration,
  parts: { cluster: NodeDeps['cluster']; client: KubernetesClient; surroundings: Surroundings },
): NodeDeps {
  const { cluster, client, surroundings } = parts;
  const { settings, environment, agent } = surroundings;
  return {
    key: { cluster: cluster.registration.uid, node: registration.name },
    registration,
    facts: nodeFacts(settings, { cluster: cluster.registration, node: registration, environment, agent }),
    api: createNodeApi(asNode(client, registration.name), registration.name),
    cluster,
  };
}
