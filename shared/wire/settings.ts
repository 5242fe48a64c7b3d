import * as z from 'zod';

const nodeName = z
  .string()
  .regex(
    /^[a-z0-9]([-a-z0-9.]{0,61}[a-z0-9])?$/,
    'a node name: 1–63 of a–z, 0–9, "-", "."; first and last a letter or digit',
  );
const quantity = z
  .string()
  .regex(/^\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/, 'a Kubernetes quantity such as "100" or "400Gi"');
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
  labels: z.record(z.string(), z.string()).default({}),
});

const clusterAuth = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({ kind: z.literal('entra') }),
    /** The token itself is a setting of its own, so that it can be a Key Vault reference. */
    z.strictObject({
      kind: z.literal('token'),
      setting: z.string().min(1, 'the name of the setting that holds the token'),
    }),
  ],
  '{"kind":"entra"} or {"kind":"token","setting":"NAME"}',
);

const clusterRegistration = z.strictObject({
  name: z.string().min(1, 'a name for people').max(63, 'at most 63 characters'),
  uid: guid,
  server: httpsUrl,
  certificateAuthority: z.string().startsWith('-----BEGIN CERTIFICATE-----', 'a PEM certificate').optional(),
  auth: clusterAuth,
  version: z.string().regex(/^v\d+\.\d+\.\d+/, 'the API server\'s version, such as "v1.36.3"'),
  relay: z.strictObject({
    audience: z.string().min(1, "the audience of the relay's token"),
    serviceAccount: z.string().regex(/^[a-z0-9-]+:[a-z0-9.-]+$/, '"namespace:name" of the relay\'s ServiceAccount'),
  }),
  /** Where pods reach the API server; absent: the `kubernetes` service as the cluster shows it. */
  apiServerForPods: z.strictObject({ host: z.string().min(1, 'a host name or address'), port }).optional(),
  nodes: z.array(nodeRegistration).min(1, 'at least one node'),
});

/** A setting that holds JSON. */
const json = <T extends z.ZodType>(schema: T) =>
  z
    .string()
    .transform((text, context) => {
      try {
        const value: unknown = JSON.parse(text);
        return value;
      } catch {
        context.addIssue({ code: 'custom', message: 'valid JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);

const count = (what: string, fallback: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/, what)
    .transform(Number)
    .default(fallback);

const schema = z
  .object({
    INSTALLATION: z
      .string('required')
      .regex(/^[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?$/, '1–24 of a–z, 0–9 and "-"; first and last a letter or digit'),
    AZURE_SUBSCRIPTION_ID: guid,
    AZURE_RESOURCE_GROUP: z.string('required').regex(/^[-\w.()]{1,90}$/, 'the name of a resource group'),
    AZURE_LOCATION: z.string('required').regex(/^[a-z0-9]{3,40}$/, 'a region such as "westeurope"'),
    ACI_SUBNET_ID: z
      .string()
      .regex(
        /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Network\/virtualNetworks\/[^/]+\/subnets\/[^/]+$/i,
        'the resource id of a subnet',
      )
      .optional(),
    ARM_ENDPOINT: httpsUrl.default('https://management.azure.com'),
    ARM_CERTIFICATE_AUTHORITY_FILE: z.string().min(1, 'the path of a PEM file').optional(),
    ARM_CREDENTIAL: z
      .enum(['managed-identity', 'default'], '"managed-identity" or "default"')
      .default('managed-identity'),
    AZURE_CLIENT_ID: guid.optional(),
    /** Read by @azure/identity itself; here so that a wrong one is told at once. */
    AZURE_AUTHORITY_HOST: httpsUrl.optional(),
    AzureWebJobsStorage: z.string().min(1, 'a storage connection string').optional(),
    AzureWebJobsStorage__tableServiceUri: httpsUrl.optional(),
    SECURITY_POLICY: z.enum(['compatible', 'strict'], '"compatible" or "strict"').default('compatible'),
    ON_CAPACITY_FAIL_AFTER_MINUTES: count('minutes; 0 means never', 0),
    ACI_CREATES_PER_5_MINUTES: count('a number from 1', 100),
    ACI_CREATES_PER_HOUR: count('a number from 1', 300),
    ACI_MAX_GROUP_CPU: count('cores', 31),
    ACI_MAX_GROUP_MEMORY_GB: count('gigabytes', 240),
    CLUSTERS: json(z.array(clusterRegistration, 'a JSON array of cluster registrations')),
  })
  .refine(
    (settings) =>
      settings.AzureWebJobsStorage !== undefined || settings.AzureWebJobsStorage__tableServiceUri !== undefined,
    {
      path: ['AzureWebJobsStorage'],
      error: 'a connection string, or AzureWebJobsStorage__tableServiceUri for identity-based access',
    },
  );

export type Settings = z.infer<typeof schema>;
export type ClusterRegistration = z.infer<typeof clusterRegistration>;
export type NodeRegistration = z.infer<typeof nodeRegistration>;

/** One fault of one setting. */
export interface SettingFault {
  /** The setting's name, with the path inside it when it holds JSON: `CLUSTERS[0].nodes[1].port`. */
  readonly name: string;
  /** What it must be. */
  readonly expected: string;
}

export type SettingsResult =
  | { readonly ok: true; readonly settings: Settings }
  | { readonly ok: false; readonly faults: readonly SettingFault[] };

/** Reads all settings of the app and reports all faults at once. An empty value counts as absent. Never shows a value. */
export function parseSettings(environment: Readonly<Record<string, string | undefined>>): SettingsResult {
  const present = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(present);
  if (!parsed.success)
    return {
      ok: false,
      faults: parsed.error.issues.map((issue) => ({
        name: pathText(issue.path),
        expected: expectation(issue, present),
      })),
    };
  const faults = crossFaults(parsed.data, present);
  return faults.length === 0 ? { ok: true, settings: parsed.data } : { ok: false, faults };
}

function expectation(issue: z.core.$ZodIssue, present: Readonly<Record<string, unknown>>): string {
  const [first] = issue.path;
  const missing = typeof first === 'string' && issue.path.length === 1 && present[first] === undefined;
  if (issue.code === 'unrecognized_keys')
    return `only known members; remove ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
  return missing ? 'set it; it is required' : issue.message;
}

function crossFaults(settings: Settings, present: Readonly<Record<string, unknown>>): SettingFault[] {
  const faults: SettingFault[] = [];
  const seen = new Set<string>();
  settings.CLUSTERS.forEach((cluster, index) => {
    if (seen.has(cluster.uid))
      faults.push({ name: `CLUSTERS[${index}].uid`, expected: 'a cluster that is not registered twice' });
    seen.add(cluster.uid);
    if (cluster.auth.kind === 'token' && present[cluster.auth.setting] === undefined) {
      faults.push({ name: cluster.auth.setting, expected: `set it; CLUSTERS[${index}].auth.setting names it` });
    }
    const names = cluster.nodes.map((node) => node.name);
    names.forEach((name, at) => {
      if (names.indexOf(name) !== at)
        faults.push({
          name: `CLUSTERS[${index}].nodes[${at}].name`,
          expected: 'a name that is not used twice in the cluster',
        });
    });
  });
  return faults;
}

const pathText = (path: readonly PropertyKey[]): string =>
  path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? String(part) : `.${String(part)}`))
    .join('');
