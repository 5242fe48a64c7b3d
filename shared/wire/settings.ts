import * as z from 'zod';
import { servicesSecrets } from '../core/access/roles.ts';
import { isClusterDomain } from '../core/kubernetes/cluster-reach.ts';
import { isSubnetId } from '../core/resource-id.ts';
import {
  agentDownload,
  agentDownloadImage,
  agentImage,
  agentMode,
  agentRootKeys,
  agentSilence,
  appUrl,
} from './agent-settings.ts';
import { podGrants } from './grants.ts';
import { logAnalyticsWorkspaces, pullIdentities } from './identity-settings.ts';
import { jsonSetting } from './json-setting.ts';
import { imageConfigs, registryEndpoints } from './registry-settings.ts';
import { settingFault } from './setting-fault.ts';
import type { Present, SettingFault } from './setting-fault.ts';
import { isConnectionString, isRegistrationsUrl } from './storage-settings.ts';

/** A text of this shape; missing or not a text, the same is said of it. */
const text = (pattern: RegExp, what: string) => z.string(what).regex(pattern, what);

const nodeName = text(
  /^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/,
  'a node name: 1–63 of a–z, 0–9, "-", "."; first and last a letter or digit',
);
const quantity = text(/^\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/, 'a Kubernetes quantity such as "100" or "400Gi"');
const port = z.int('a port number').min(1, 'a port from 1 to 65535').max(65_535, 'a port from 1 to 65535');
const guid = z.guid('a GUID such as 00000000-0000-0000-0000-000000000000');
const httpsUrl = z.url({ protocol: /^https$/, error: 'an https:// URL' });

const nodeRegistration = z.strictObject({
  name: nodeName,
  state: z.enum(['active', 'draining', 'removed'], '"active", "draining" or "removed"').default('active'),
  zone: z.enum(['1', '2', '3'], 'a zone: "1", "2" or "3"').optional(),
  address: z.union([z.ipv4(), z.ipv6()], 'the IP address of the relay as the API server reaches it'),
  port: port.default(10_250),
  cpu: quantity.default('100'),
  memory: quantity.default('400Gi'),
  pods: z.int('a number of pods').min(1, 'at least 1').max(5000, 'at most 5000').default(100),
  taint: z.boolean('true or false').default(true),
  labels: z.record(z.string(), z.string("a label's value"), 'labels and their values').default({}),
});

const clusterAuth = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('entra') }),
    /** The token itself is a setting of its own, so that it can be a Key Vault reference. */
    z.strictObject({
      kind: z.literal('token'),
      setting: text(/./, 'the name of the setting that holds the token'),
    }),
  ],
  '{"kind":"entra"} or {"kind":"token","setting":"NAME"}',
);

const domainShape = 'the cluster\'s domain, such as "cluster.local"';
const clusterDns = z.strictObject({
  nameServers: z
    .array(z.ipv4('an IPv4 address'), 'a list of IPv4 addresses')
    .min(1, 'at least one name server')
    .max(3, 'at most three name servers'),
  domain: z.string(domainShape).refine(isClusterDomain, domainShape),
  /** Whether those are ClusterIPs, which nobody reaches without `services`. */
  viaServices: z.boolean('true or false').default(false),
});

const clusterServices = z.strictObject({
  clusterCidr: z.cidrv4('an IPv4 range such as "10.244.0.0/16"'),
  /** The Secret of the relay's namespace that holds the extension's token. */
  credential: z.enum(servicesSecrets, '"services-a" or "services-b"'),
});

const clusterRegistration = z.strictObject({
  name: text(/^.{1,63}$/, 'a name for people, at most 63 characters'),
  uid: guid,
  server: httpsUrl,
  certificateAuthority: text(/^-----BEGIN CERTIFICATE-----/, 'a PEM certificate').optional(),
  auth: clusterAuth,
  version: text(/^v\d+\.\d+\.\d+/, 'the API server\'s version, such as "v1.36.3"'),
  relay: z.strictObject({
    audience: text(/./, "the audience of the relay's token"),
    serviceAccount: text(/^[a-z0-9-]+:[a-z0-9.-]+$/, '"namespace:name" of the relay\'s ServiceAccount'),
  }),
  /** Where pods reach the API server; absent or `service`: the `kubernetes` Service as the cluster shows it. */
  apiServerForPods: z
    .union(
      [z.literal('service'), z.strictObject({ host: text(/./, 'a host name or address'), port })],
      '"service" or {"host","port"}',
    )
    .optional(),
  /** How pods in a subnet resolve names of the cluster; absent: they ask Azure's resolver alone. */
  dns: clusterDns.optional(),
  /** How pods in a subnet reach ClusterIPs, by ACI's kube-proxy extension; absent: they don't. */
  services: clusterServices.optional(),
  /** What an operator turned off of these two: `attach` leaves it off. The app does not look at it. */
  declined: z
    .array(z.enum(['dns', 'services']))
    .min(1, 'at least one of "dns" and "services"')
    .optional(),
  /** What pods may name in annotations; absent: nothing. */
  grants: podGrants.optional(),
  nodes: z.array(nodeRegistration, 'at least one node').min(1, 'at least one node'),
});

const count = (what: string, { from, fallback }: { readonly from: 0 | 1; readonly fallback: number }) =>
  text(from === 0 ? /^\d{1,6}$/ : /^0*[1-9]\d{0,5}$/, what)
    .transform(Number)
    .default(fallback);

const clustersSetting = jsonSetting(z.array(clusterRegistration, 'a JSON array of cluster registrations'));
const registrationsBody = jsonSetting(
  z.strictObject({ clusters: z.array(clusterRegistration, 'a JSON array of cluster registrations') }, 'a JSON object'),
);

const schema = z
  .object({
    INSTALLATION: z
      .string('required')
      .regex(/^[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?$/, '1–24 of a–z, 0–9 and "-"; first and last a letter or digit'),
    AZURE_SUBSCRIPTION_ID: guid,
    AZURE_RESOURCE_GROUP: z.string('required').regex(/^[-\w.()]{1,90}$/, 'the name of a resource group'),
    AZURE_LOCATION: z.string('required').regex(/^[a-z0-9]{3,40}$/, 'a region such as "westeurope"'),
    ACI_SUBNET_ID: z.string().refine(isSubnetId, 'the resource id of a subnet').optional(),
    ARM_ENDPOINT: httpsUrl.default('https://management.azure.com'),
    ARM_CERTIFICATE_AUTHORITY_FILE: z.string().min(1, 'the path of a PEM file').optional(),
    ARM_CREDENTIAL: z
      .enum(['managed-identity', 'default'], '"managed-identity" or "default"')
      .default('managed-identity'),
    AZURE_CLIENT_ID: guid.optional(),
    /** Read by @azure/identity itself; here so that a wrong one is reported at once. */
    AZURE_AUTHORITY_HOST: httpsUrl.optional(),
    AzureWebJobsStorage: z.string().optional(),
    AzureWebJobsStorage__tableServiceUri: httpsUrl.optional(),
    AzureWebJobsStorage__blobServiceUri: httpsUrl.optional(),
    REGISTRATIONS_URL: z
      .string()
      .refine(
        isRegistrationsUrl,
        'the https:// URL of a blob, such as https://account.blob.core.windows.net/serverless-kubelet/prod.json; http:// on loopback only, with a SAS',
      )
      .optional(),
    SECURITY_POLICY: z.enum(['compatible', 'strict'], '"compatible" or "strict"').default('compatible'),
    REALTIME_METRICS: z.enum(['on', 'off'], '"on" or "off"').default('on'),
    ON_CAPACITY_FAIL_AFTER_MINUTES: count('minutes; 0 means never', { from: 0, fallback: 0 }),
    ACI_CREATES_PER_5_MINUTES: count('a number from 1', { from: 1, fallback: 100 }),
    ACI_CREATES_PER_HOUR: count('a number from 1', { from: 1, fallback: 300 }),
    ACI_MAX_GROUP_CPU: count('cores, from 1', { from: 1, fallback: 31 }),
    ACI_MAX_GROUP_MEMORY_GB: count('gigabytes, from 1', { from: 1, fallback: 240 }),
    REGISTRY_ENDPOINTS: registryEndpoints,
    REGISTRY_CERTIFICATE_AUTHORITY_FILE: z.string().min(1, 'the path of a PEM file').optional(),
    REGISTRY_PULL_CLIENT_ID: guid.optional(),
    REGISTRY_PULL_IDENTITIES: pullIdentities,
    LOG_ANALYTICS_WORKSPACES: logAnalyticsWorkspaces,
    IMAGE_CONFIGS: imageConfigs,
    APP_URL: appUrl.optional(),
    AGENT: agentMode,
    AGENT_IMAGE: agentImage.optional(),
    AGENT_DOWNLOAD: agentDownload,
    AGENT_DOWNLOAD_IMAGE: agentDownloadImage,
    AGENT_ROOT_KEYS: agentRootKeys,
    AGENT_SILENCE: agentSilence,
    CLUSTERS: clustersSetting.default([]),
  })
  .readonly();

export type Settings = z.infer<typeof schema>;
export type ClusterRegistration = z.infer<typeof clusterRegistration>;
export type NodeRegistration = z.infer<typeof nodeRegistration>;

export type SettingsResult =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly faults: readonly SettingFault[] };

/** Reads all settings of the app and reports all faults at once. An empty value counts as absent. Never shows a value. */
export function parseSettings(environment: Readonly<Record<string, string | undefined>>): SettingsResult {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(present);
  const shapes = parsed.success ? [] : parsed.error.issues.map((issue) => settingFault(issue, present));
  // What spans several settings is checked whatever else is wrong, so that all is reported at once.
  const clusters = clustersSetting.safeParse(present['CLUSTERS']);
  const faults = [
    ...shapes,
    ...storageFaults(present),
    ...registrationFaults(present),
    ...(clusters.success ? crossFaults(clusters.data, 'CLUSTERS', present) : []),
  ];
  return parsed.success && faults.length === 0 ? { ok: true, settings: parsed.data } : { ok: false, faults };
}

export type RegistrationsResult =
  | { readonly ok: true; readonly clusters: readonly ClusterRegistration[] }
  | { readonly ok: false; readonly faults: readonly SettingFault[] };

/**
 * Reads the blob of registrations, `{"clusters":[…]}` with the clusters of `CLUSTERS`, and reports all faults at once, by
 * their path: `clusters[0].nodes[1].port`. Never shows a value. With `environment` a setting that `auth` names must be there.
 */
export function parseRegistrations(
  text: string,
  environment?: Readonly<Record<string, string | undefined>>,
): RegistrationsResult {
  const parsed = registrationsBody.safeParse(text);
  if (!parsed.success)
    return { ok: false, faults: parsed.error.issues.map((issue) => settingFault(issue, { clusters: text })) };
  const { clusters } = parsed.data;
  const faults = crossFaults(clusters, 'clusters', environment);
  return faults.length === 0 ? { ok: true, clusters } : { ok: false, faults };
}

/** The text that `parseRegistrations` reads. */
export const formatRegistrations = (clusters: readonly ClusterRegistration[]): string =>
  `${JSON.stringify({ clusters }, undefined, 2)}\n`;

function storageFaults(present: Present): readonly SettingFault[] {
  if (present['AzureWebJobsStorage__tableServiceUri'] !== undefined) return [];
  const text = present['AzureWebJobsStorage'];
  if (typeof text === 'string' && isConnectionString(text)) return [];
  const expected = 'a storage connection string, or set AzureWebJobsStorage__tableServiceUri for identity-based access';
  return [{ name: 'AzureWebJobsStorage', expected }];
}

const registrationFaults = (present: Present): readonly SettingFault[] =>
  present['CLUSTERS'] !== undefined || present['REGISTRATIONS_URL'] !== undefined
    ? []
    : [
        {
          name: 'REGISTRATIONS_URL',
          expected: 'the URL of the blob that holds the cluster registrations; or put them in CLUSTERS',
        },
      ];

/** `list`: what the list is called. Without `present` it is not asked whether the settings that are named exist. */
function crossFaults(
  clusters: readonly ClusterRegistration[],
  list: string,
  present: Present | undefined,
): readonly SettingFault[] {
  const uids = clusters.map((cluster) => cluster.uid);
  return clusters.flatMap(({ uid, auth, nodes, dns, services }, index) => {
    const at = `${list}[${index}]`;
    const names = nodes.map((node) => node.name);
    const doors = nodes.map((node) => `${node.address} ${node.port}`);
    return [
      ...(uids.indexOf(uid) === index
        ? []
        : [{ name: `${at}.uid`, expected: 'a cluster that is not registered twice' }]),
      ...(auth.kind === 'token' && present !== undefined && !present[auth.setting]
        ? // Not its name: somebody may have put the token itself there.
          [{ name: `${at}.auth.setting`, expected: 'the name of a setting that is set' }]
        : []),
      ...(dns?.viaServices === true && services === undefined
        ? [
            {
              name: `${at}.dns.viaServices`,
              expected: 'false, or set services too: nobody routes ClusterIPs without it',
            },
          ]
        : []),
      ...repeated(names).map((node) => ({
        name: `${at}.nodes[${node}].name`,
        expected: 'a name that is not used twice in the cluster',
      })),
      // The relay reports by the port which node it is asked for.
      ...repeated(doors).map((node) => ({
        name: `${at}.nodes[${node}].port`,
        expected: 'a port that no other node of the cluster has at the same address',
      })),
    ];
  });
}

/** Where something is that was before. */
const repeated = (values: readonly string[]): readonly number[] =>
  values.flatMap((value, index) => (values.indexOf(value) === index ? [] : [index]));
