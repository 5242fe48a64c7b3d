import { agentModes } from '../../agent/agent-facts.ts';
import { isBase64 } from '../../base64.ts';
import { tagNames } from '../../group/identity.ts';
import { isWorkspaceName } from '../grant.ts';
import { identityIdExample, isIdentityId, isSubnetId, subnetIdExample } from '../../resource-id.ts';
import type { GroupWishes, Wish } from './wishes.ts';

/** How the value of an annotation is read. */
export interface AnnotationReader {
  readonly wish: Wish;
  /** The first is what documents and messages name. */
  readonly names: readonly [string, ...string[]];
  readonly meaning: string;
  /** What a value must be; completes "expected …". */
  readonly rule: string;
  readonly example: string;
  /** Undefined where the value is wrong. */
  readonly read: (value: string) => Partial<GroupWishes> | undefined;
}

/** Names of virtual nodes v2 (microsoft/virtualnodesOnAzureContainerInstances, Docs/PodCustomizations.md). */
export const virtualNodePrefix = 'microsoft.containerinstance.virtualnode.';
export const injectDns = `${virtualNodePrefix}injectdns`;
export const injectKubeProxy = `${virtualNodePrefix}injectkubeproxy`;
export const injectRealtimeMetrics = `${virtualNodePrefix}injectrealtimemetrics`;
/** Of ours; only what neither of the other bridges has a name for. */
export const annotationPrefix = 'serverless-kubelet.io/';
export const agentAnnotation = `${annotationPrefix}agent`;
/** What the app writes on pods: their tier, and why. */
export const tierAnnotation = `${annotationPrefix}tier`;
export const tierReasonAnnotation = `${annotationPrefix}tier-reason`;

const where = (isGood: boolean, wishes: Partial<GroupWishes>): Partial<GroupWishes> | undefined =>
  isGood ? wishes : undefined;

/** Parts between semicolons; one at the end is none. */
const parts = (value: string): readonly string[] =>
  value
    .replace(/;\s*$/, '')
    .split(';')
    .map((part) => part.trim());

function readIdentities(value: string): Partial<GroupWishes> | undefined {
  const ids = parts(value);
  if (!ids.every(isIdentityId)) return undefined;
  return { identities: [...new Map(ids.map((id) => [id.toLowerCase(), id])).values()] };
}

const maxTags = 50 - Object.keys(tagNames).length;
const ownTags: ReadonlySet<string> = new Set(Object.values(tagNames));

const hasControl = /\p{Cc}/u;

/** As ARM takes them (https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources, Limitations). */
function isTag([name, value]: readonly [string, string]): boolean {
  const lower = name.toLowerCase();
  const isFree = !ownTags.has(lower) && !/^(microsoft|azure|windows)/.test(lower);
  const isText = !hasControl.test(`${name}${value}`) && name.isWellFormed() && value.isWellFormed();
  return isFree && isText && /^[^<>%&\\?/]{1,512}$/.test(name) && value.length <= 256;
}

function readTags(value: string): Partial<GroupWishes> | undefined {
  const tags = parts(value).map((part): readonly [string, string] => {
    const at = part.indexOf('=');
    return at < 0 ? ['', ''] : [part.slice(0, at).trim(), part.slice(at + 1).trim()];
  });
  const names = new Set(tags.map(([name]) => name.toLowerCase()));
  return where(tags.every(isTag) && names.size === tags.length && tags.length <= maxTags, {
    tags: Object.fromEntries(tags),
  });
}

function readSku(value: string): Partial<GroupWishes> | undefined {
  const sku = (['Standard', 'Confidential'] as const).find((one) => one.toLowerCase() === value.toLowerCase());
  return sku && { sku };
}

const readZone = (value: string): Partial<GroupWishes> | undefined => {
  const zone = (['', '1', '2', '3'] as const).find((one) => one === value);
  return zone === undefined ? undefined : { zone };
};

const readFlag = (value: string, wish: (flag: boolean) => Partial<GroupWishes>): Partial<GroupWishes> | undefined =>
  /^(true|false)$/i.test(value) ? wish(value.toLowerCase() === 'true') : undefined;

/** Of Azure's public and sovereign clouds. */
const isVault = (value: string): boolean =>
  /^https:\/\/[a-z][a-z0-9-]{1,22}[a-z0-9]\.(?:vault|managedhsm)\.(?:azure\.net|azure\.cn|usgovcloudapi\.net)\/?$/i.test(
    value,
  );

const keyName = /^[0-9a-zA-Z-]{1,127}$/;

export const annotationReaders: readonly AnnotationReader[] = [
  {
    wish: 'identities',
    names: [`${virtualNodePrefix}identity`],
    meaning: 'user-assigned identities that all containers of the pod can use; a grant is needed',
    rule: 'resource ids of user-assigned identities, separated by ";"',
    example: identityIdExample,
    read: readIdentities,
  },
  {
    wish: 'subnet',
    names: [`${virtualNodePrefix}subnets.primary`],
    meaning: "a subnet in place of the node's, or `none`; a grant is needed",
    rule: 'the resource id of a subnet, or "none"',
    example: subnetIdExample,
    read: (value) => where(value === 'none' || isSubnetId(value), { subnet: value }),
  },
  {
    wish: 'zone',
    names: [`${virtualNodePrefix}zones`],
    meaning: 'a zone in place of the node\'s, or `""` for any',
    rule: 'one zone, "1", "2" or "3", or "" for any (ACI takes one)',
    example: '"2"',
    read: readZone,
  },
  {
    wish: 'priority',
    names: [`${annotationPrefix}priority`],
    meaning:
      'Spot capacity, which Azure may take back at any time: at most 4 cores and 16 GB, in no subnet and no zone',
    rule: '"Spot" or "Regular"',
    example: 'Spot',
    read: (value) => (value === 'Spot' || value === 'Regular' ? { priority: value } : undefined),
  },
  {
    wish: 'sku',
    names: ['virtual-kubelet.io/container-sku'],
    meaning: 'the SKU `Confidential` with the policy that ACI makes, which allows all; or `Standard`',
    rule: '"confidential" or "standard"',
    example: 'confidential',
    read: readSku,
  },
  {
    wish: 'ccePolicy',
    names: [`${virtualNodePrefix}ccepolicy`, 'virtual-kubelet.io/confidential-compute-cce-policy'],
    meaning:
      'a confidential computing enforcement policy, and the SKU `Confidential`; `az confcom acipolicygen` makes it',
    rule: 'a policy in base64',
    example: 'cGFja2FnZSBwb2xpY3k=',
    read: (value) => where(isBase64(value), { ccePolicy: value }),
  },
  {
    wish: 'workspace',
    names: [`${annotationPrefix}log-analytics`],
    meaning:
      "the workspace of Log Analytics that gets the pod's logs, by its name in the setting LOG_ANALYTICS_WORKSPACES, or `none`; a grant is needed for all but `default`, and for `none` where there is a `default`",
    rule: 'a name of the setting LOG_ANALYTICS_WORKSPACES, or "none"',
    example: 'audit',
    read: (value) => where(isWorkspaceName(value), { workspace: value }),
  },
  {
    wish: 'dns',
    names: [injectDns],
    meaning: '`"false"`: the pod asks Azure\'s resolver in place of the cluster\'s DNS, as under `dnsPolicy: Default`',
    rule: '"true" or "false"',
    example: '"false"',
    read: (value) => readFlag(value, (dns) => ({ dns })),
  },
  {
    wish: 'kubeProxy',
    names: [injectKubeProxy],
    meaning: '`"false"`: no kube-proxy is added, so ClusterIPs are not reached',
    rule: '"true" or "false"',
    example: '"false"',
    read: (value) => readFlag(value, (kubeProxy) => ({ kubeProxy })),
  },
  {
    wish: 'realtimeMetrics',
    names: [injectRealtimeMetrics],
    meaning:
      '`"false"`: ACI\'s realtime-metrics is not added, so what the pod uses is known a few minutes late, from Azure Monitor',
    rule: '"true" or "false"',
    example: '"false"',
    read: (value) => readFlag(value, (realtimeMetrics) => ({ realtimeMetrics })),
  },
  {
    wish: 'agent',
    names: [agentAnnotation],
    meaning:
      'whether the pod gets the agent, in place of the setting AGENT: `auto` where it asks for something that only the agent gives, `always`, `never`',
    rule: '"auto", "always" or "never"',
    example: 'always',
    read: (value) => {
      const agent = agentModes.find((mode) => mode === value);
      return agent && { agent };
    },
  },
  {
    wish: 'dnsNameLabel',
    names: ['virtualkubelet.io/dnsnamelabel'],
    meaning:
      'a public address with this name, outside of every subnet; its ports are open to the Internet; a grant is needed',
    rule: '5 to 63 of a-z, 0-9 and "-", first a letter, last a letter or digit',
    example: 'team-a-web',
    read: (value) => where(/^[a-z][a-z0-9-]{3,61}[a-z0-9]$/.test(value), { dnsNameLabel: value }),
  },
  {
    wish: 'tags',
    names: [`${virtualNodePrefix}customtags`],
    meaning: 'tags of the group besides those of the app',
    rule: `name=value pairs separated by ";", at most ${maxTags}, none of the app's own tags`,
    example: 'cost-center=42;team=a',
    read: readTags,
  },
  {
    wish: 'vaultBaseUrl',
    names: [`${virtualNodePrefix}cmk.vaultbaseurl`],
    meaning: 'the key vault of a customer-managed key, with which ACI encrypts what it keeps of the group',
    rule: 'the https:// URL of a key vault',
    example: 'https://team-a.vault.azure.net',
    read: (value) => where(isVault(value), { vaultBaseUrl: value }),
  },
  {
    wish: 'keyName',
    names: [`${virtualNodePrefix}cmk.keyname`],
    meaning: 'the name of that key',
    rule: '1 to 127 letters, digits and "-"',
    example: 'groups',
    read: (value) => where(keyName.test(value), { keyName: value }),
  },
  {
    wish: 'keyVersion',
    names: [`${virtualNodePrefix}cmk.keyversion`],
    meaning: 'its version',
    rule: '32 hexadecimal digits',
    example: '0123456789abcdef0123456789abcdef',
    read: (value) => where(/^[0-9a-f]{32}$/i.test(value), { keyVersion: value }),
  },
  {
    wish: 'keyIdentity',
    names: [`${virtualNodePrefix}cmk.identity`],
    meaning: 'the user-assigned identity that may use that key; a grant is needed',
    rule: 'the resource id of a user-assigned identity',
    example: identityIdExample,
    read: (value) => where(isIdentityId(value), { keyIdentity: value }),
  },
];

/** Annotations of the other bridges that have no effect here, or can have none. */
export const otherAnnotations: readonly {
  readonly name: string;
  readonly meaning: string;
  /** Values that are refused, and why. */
  readonly refused?: { readonly values: RegExp; readonly why: string };
}[] = [
  {
    name: tierAnnotation,
    meaning:
      'written by the app: `T1` or `T2` ([what tiers are](explain.md#tiers)), nothing where the pod has no agent; what a pod brings is overwritten',
  },
  {
    name: tierReasonAnnotation,
    meaning: 'written by the app: the first field for which the pod has the agent, and how many more there are',
  },
  {
    name: `${virtualNodePrefix}imagecachepod`,
    meaning: '`"true"` is refused: there are no standby pools whose image cache it could fill',
    refused: { values: /^true$/i, why: 'there are no standby pools whose image cache such a pod could fill' },
  },
  {
    name: 'virtual-kubelet.io/gpu-type',
    meaning: 'refused: ACI has no GPUs any more',
    refused: { values: /./, why: 'ACI has no GPUs any more' },
  },
];
