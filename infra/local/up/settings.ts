import { hostBodyBytes } from '../../../shared/wire/relay-protocol/bounds.ts';
import { knownConfigs } from '../aci/images/catalog.ts';
import type { Attachment } from '../cluster/attach.ts';
import type { Forwarder } from '../cluster/forwarder.ts';
import type { Cluster } from './cluster.ts';
import { blobSas } from '../storage-sas.ts';
import type { UpOptions } from './options.ts';
import { defined } from '../../../shared/core/defined.ts';

export const appAudience = 'https://serverless-kubelet.local';
export const installation = 'local';
/** Where an installation's blob of registrations is, on Azure too. */
export const registrationsContainer = 'serverless-kubelet';
const tokenSetting = 'LOCAL_CLUSTER_TOKEN';
/** A workspace that annotations may name; the emulator takes its name and key, and no log. */
export const localWorkspace = 'local';
const workspaceKeySetting = 'LOCAL_WORKSPACE_KEY';
const workspaceSettings = {
  [workspaceKeySetting]: 'a2V5IG9mIGEgd29ya3NwYWNlIHRoYXQgaXMgbm90IHRoZXJl',
  LOG_ANALYTICS_WORKSPACES: JSON.stringify({
    [localWorkspace]: { workspaceId: '00000000-0000-4000-8000-000000000000', keySetting: workspaceKeySetting },
  }),
};

export interface SettingsInput {
  readonly arm: UpOptions['arm'] & { readonly endpoint: string };
  readonly connectionString: string;
  readonly createsPerHour: number;
  /** Gives pods an address: the emulator's bridge stands for it. */
  readonly subnetId: string | undefined;
  /** The identity endpoint of the emulator; absent: whatever the environment offers. */
  readonly identity: { readonly url: string; readonly header: string } | undefined;
  /** Where the images of registries are asked for, where that is not their own address. */
  readonly registryEndpoints?: string | undefined;
  /** Where containers reach the app; absent: nowhere. */
  readonly appUrl?: string | undefined;
  /** What they say of the agent; absent: nothing. */
  readonly agent?: Readonly<Record<string, string>>;
  /** A cluster that is known from the start; absent: it is attached later. */
  readonly fixed?: FixedCluster;
}

/** A cluster of the setting `CLUSTERS`. */
export interface FixedCluster {
  readonly cluster: Pick<Cluster, 'server' | 'caPem' | 'version'> & {
    readonly forwarder: Pick<Forwarder, 'address' | 'port'> | undefined;
  };
  readonly attachment: Pick<Attachment, 'clusterUid' | 'namespace' | 'relayServiceAccount' | 'appToken'>;
  readonly nodes: readonly { readonly name: string; readonly port: number }[];
  readonly nodeAddress: string;
}

/** The app's settings, in the form of `local.settings.json`. The same names are in the app settings on Azure. */
export function appSettings(input: SettingsInput): Record<string, string> {
  const { arm } = input;
  return {
    FUNCTIONS_WORKER_RUNTIME: 'node',
    INSTALLATION: installation,
    AZURE_SUBSCRIPTION_ID: arm.subscription,
    AZURE_RESOURCE_GROUP: arm.resourceGroup,
    AZURE_LOCATION: arm.location,
    ...defined({ ACI_SUBNET_ID: input.subnetId }),
    ACI_CREATES_PER_HOUR: String(input.createsPerHour),
    ACI_CREATES_PER_5_MINUTES: String(Math.floor(input.createsPerHour / 3)),
    ARM_ENDPOINT: arm.endpoint,
    ...defined({ ARM_CERTIFICATE_AUTHORITY_FILE: arm.caFile }),
    ...(input.identity === undefined
      ? { ARM_CREDENTIAL: 'default' }
      : { IDENTITY_ENDPOINT: input.identity.url, IDENTITY_HEADER: input.identity.header }),
    AzureWebJobsDisableHomepage: 'true',
    AzureWebJobsStorage: input.connectionString,
    IMAGE_CONFIGS: JSON.stringify(knownConfigs),
    ...defined({ REGISTRY_ENDPOINTS: input.registryEndpoints }),
    ...defined({ APP_URL: input.appUrl }),
    ...input.agent,
    FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: String(hostBodyBytes),
    ...workspaceSettings,
    ...registrationsUrl(input.connectionString),
    ...(input.fixed === undefined ? {} : fixedCluster(input.fixed)),
  };
}

function fixedCluster({ cluster, attachment, nodes, nodeAddress }: FixedCluster): Record<string, string> {
  const registration = {
    name: 'local',
    uid: attachment.clusterUid,
    server: cluster.server,
    certificateAuthority: cluster.caPem,
    auth: { kind: 'token', setting: tokenSetting },
    version: cluster.version,
    relay: { audience: appAudience, serviceAccount: `${attachment.namespace}:${attachment.relayServiceAccount}` },
    // Without a bridge there is no address that containers reach: the Service's, knowingly.
    apiServerForPods:
      cluster.forwarder === undefined ? 'service' : { host: cluster.forwarder.address, port: cluster.forwarder.port },
    nodes: nodes.map(({ name, port }) => ({ name, address: nodeAddress, port })),
  };
  return { CLUSTERS: JSON.stringify([registration]), [tokenSetting]: attachment.appToken };
}

const sasDays = 365;

/** For clusters that are attached later, beside one of `CLUSTERS`: there is no blob until then. */
function registrationsUrl(connectionString: string): { readonly REGISTRATIONS_URL?: string } {
  const blobs = /(?:^|;)BlobEndpoint=([^;]+)/.exec(connectionString)?.[1];
  if (blobs === undefined) return {};
  const expiresAt = new Date(Date.now() + sasDays * 86_400_000);
  const sas = blobSas({ resourceTypes: 'o', permissions: 'rwdc', expiresAt });
  return { REGISTRATIONS_URL: `${blobs}/${registrationsContainer}/${installation}.json?${sas}` };
}
