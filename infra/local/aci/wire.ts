import { z } from 'zod';

/**
 * The body of a container group's PUT, api-version 2023-05-01 (docs/aci.md, Requests). Unknown properties are ignored; what has
 * an error code of its own when missing (osType, resources, ports) is optional here and judged by `validation.ts`.
 */
const port = z.object({ protocol: z.string().optional(), port: z.number() });
const environmentVariable = z.object({
  name: z.string(),
  value: z.string().optional(),
  secureValue: z.string().optional(),
});
const amounts = z.object({ cpu: z.number().optional(), memoryInGB: z.number().optional() });
const volumeMount = z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() });
const probe = z.object({
  exec: z.object({ command: z.array(z.string()) }).optional(),
  httpGet: z
    .object({
      path: z.string().optional(),
      port: z.number(),
      scheme: z.string().optional(),
      httpHeaders: z.array(z.object({ name: z.string(), value: z.string() })).optional(),
    })
    .optional(),
  initialDelaySeconds: z.number().optional(),
  periodSeconds: z.number().optional(),
  failureThreshold: z.number().optional(),
  successThreshold: z.number().optional(),
  timeoutSeconds: z.number().optional(),
});
const securityContext = z.object({
  privileged: z.boolean().optional(),
  allowPrivilegeEscalation: z.boolean().optional(),
  capabilities: z.object({ add: z.array(z.string()).optional(), drop: z.array(z.string()).optional() }).optional(),
  runAsUser: z.number().optional(),
  runAsGroup: z.number().optional(),
  seccompProfile: z.string().optional(),
});
const container = z.object({
  name: z.string(),
  properties: z.object({
    image: z.string(),
    command: z.array(z.string()).optional(),
    ports: z.array(port).optional(),
    environmentVariables: z.array(environmentVariable).optional(),
    resources: z.object({ requests: amounts.optional(), limits: amounts.optional() }).optional(),
    volumeMounts: z.array(volumeMount).optional(),
    livenessProbe: probe.optional(),
    readinessProbe: probe.optional(),
    securityContext: securityContext.optional(),
  }),
});
const volume = z.object({
  name: z.string(),
  emptyDir: z.object({}).optional(),
  secret: z.record(z.string(), z.string()).optional(),
  gitRepo: z
    .object({ directory: z.string().optional(), repository: z.string(), revision: z.string().optional() })
    .optional(),
  azureFile: z
    .object({
      shareName: z.string(),
      readOnly: z.boolean().optional(),
      storageAccountName: z.string(),
      storageAccountKey: z.string().optional(),
    })
    .optional(),
});
const properties = z.object({
  sku: z.string().optional(),
  containers: z.array(container),
  initContainers: z.array(container).optional(),
  imageRegistryCredentials: z
    .array(
      z.object({
        server: z.string(),
        username: z.string().optional(),
        password: z.string().optional(),
        identity: z.string().optional(),
        identityUrl: z.string().optional(),
      }),
    )
    .optional(),
  restartPolicy: z.enum(['Always', 'OnFailure', 'Never']).optional(),
  ipAddress: z
    .object({
      ports: z.array(port).optional(),
      type: z.enum(['Public', 'Private']),
      dnsNameLabel: z.string().optional(),
    })
    .optional(),
  osType: z.string().optional(),
  volumes: z.array(volume).optional(),
  diagnostics: z
    .object({
      logAnalytics: z
        .object({ workspaceId: z.string(), logType: z.string().optional(), workspaceResourceId: z.string().optional() })
        .optional(),
    })
    .optional(),
  subnetIds: z.array(z.object({ id: z.string(), name: z.string().optional() })).optional(),
  dnsConfig: z
    .object({
      nameServers: z.array(z.string()),
      searchDomains: z.string().optional(),
      options: z.string().optional(),
    })
    .optional(),
  priority: z.string().optional(),
  extensions: z
    .array(
      z.object({
        name: z.string(),
        properties: z.object({ extensionType: z.string().optional(), version: z.string().optional() }).optional(),
      }),
    )
    .optional(),
});

export const groupBody = z.object({
  location: z.string().optional(),
  tags: z.record(z.string(), z.string()).optional(),
  zones: z.array(z.string()).optional(),
  identity: z
    .object({ type: z.string(), userAssignedIdentities: z.record(z.string(), z.unknown()).optional() })
    .optional(),
  properties,
});
/** PATCH looks at nothing but tags. */
export const tagsBody = z.object({ tags: z.record(z.string(), z.string()).optional() });

export type GroupBody = z.infer<typeof groupBody>;
export type GroupProperties = GroupBody['properties'];
export type ContainerBody = GroupProperties['containers'][number];
export type ProbeBody = z.infer<typeof probe>;
export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

/** An absent policy means `Always`. */
export function restartPolicyOf(body: GroupBody): RestartPolicy {
  return body.properties.restartPolicy ?? 'Always';
}

/** Cores that the group's requests sum up to. */
export function requestedCpu(body: GroupBody): number {
  return sum(body.properties.containers.map((c) => c.properties.resources?.requests?.cpu ?? 0));
}

/** GB that the group's requests sum up to. */
export function requestedMemoryInGB(body: GroupBody): number {
  return sum(body.properties.containers.map((c) => c.properties.resources?.requests?.memoryInGB ?? 0));
}

function sum(values: readonly number[]): number {
  return Math.round(values.reduce((total, value) => total + value, 0) * 1000) / 1000;
}
