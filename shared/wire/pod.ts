import * as z from 'zod';
import type { JsonObject } from '../core/json.ts';
import type { Pod } from '../core/kubernetes/pod.ts';
import { containerStatus, podCondition } from './pod-status.ts';
import { container, volume } from './pod-spec.ts';

/** What Go writes for an empty list or map: absent, or null. */
const stringMap = z
  .record(z.string(), z.string())
  .nullish()
  .transform((map) => map ?? {});

const ownerReference = z.object({
  kind: z.string(),
  name: z.string(),
  uid: z.string(),
  controller: z
    .boolean()
    .nullish()
    .transform((controller) => controller ?? false),
});

const metadata = z.object({
  name: z.string().min(1),
  namespace: z.string().min(1),
  uid: z.string().min(1),
  resourceVersion: z.string().default(''),
  generation: z.number().default(0),
  creationTimestamp: z
    .string()
    .nullish()
    .transform((time) => time ?? ''),
  deletionTimestamp: z.string().exactOptional(),
  deletionGracePeriodSeconds: z.number().exactOptional(),
  labels: stringMap,
  annotations: stringMap,
  ownerReferences: z
    .array(ownerReference)
    .nullish()
    .transform((owners) => owners ?? []),
});

const spec = z.object({
  nodeName: z.string().default(''),
  containers: z.array(container),
  initContainers: z
    .array(container)
    .nullish()
    .transform((containers) => containers ?? []),
  restartPolicy: z.enum(['Always', 'OnFailure', 'Never']).default('Always'),
  volumes: z
    .array(volume)
    .nullish()
    .transform((volumes) => volumes ?? []),
  imagePullSecrets: z
    .array(z.object({ name: z.string().default('') }))
    .nullish()
    .transform((secrets) => (secrets ?? []).filter((secret) => secret.name !== '')),
  serviceAccountName: z.string().default(''),
  enableServiceLinks: z.boolean().default(true),
  activeDeadlineSeconds: z.number().exactOptional(),
  terminationGracePeriodSeconds: z.number().default(30),
});

const status = z.object({
  phase: z.enum(['Pending', 'Running', 'Succeeded', 'Failed', 'Unknown']).default('Pending'),
  reason: z.string().exactOptional(),
  message: z.string().exactOptional(),
  startTime: z.string().exactOptional(),
  hostIP: z.string().exactOptional(),
  podIP: z.string().exactOptional(),
  qosClass: z.string().exactOptional(),
  observedGeneration: z.number().exactOptional(),
  conditions: z
    .array(podCondition)
    .nullish()
    .transform((conditions) => conditions ?? []),
  initContainerStatuses: z
    .array(containerStatus)
    .nullish()
    .transform((statuses) => statuses ?? []),
  containerStatuses: z
    .array(containerStatus)
    .nullish()
    .transform((statuses) => statuses ?? []),
  ephemeralContainerStatuses: z.array(containerStatus).nullish(),
});

const rawSpec = z.custom<JsonObject>((value) => typeof value === 'object' && value !== null && !Array.isArray(value));

const pod = z
  .object({ metadata, spec: z.unknown(), status: status.prefault({}) })
  .transform(({ metadata, spec: raw, status: { ephemeralContainerStatuses: ephemeral, ...said } }, context): Pod => {
    const status = ephemeral ? { ...said, ephemeralContainerStatuses: ephemeral } : said;
    const parsed = spec.safeParse(raw);
    const kept = rawSpec.safeParse(raw);
    if (parsed.success && kept.success) return { metadata, status, spec: parsed.data, rawSpec: kept.data };
    context.addIssue('spec is not that of a pod');
    return z.NEVER;
  });

/**
 * A `v1.Pod` from the API server's JSON, or undefined when it is none. Members that are not read are ignored (`rawSpec`
 * keeps those of the spec), defaults of the API are filled in, a wrong type anywhere in what is read fails the whole.
 * Never throws.
 */
export function parsePod(json: unknown): Pod | undefined {
  const result = pod.safeParse(json);
  return result.success ? result.data : undefined;
}

/** A member that has not the type of the API reference. */
export interface ShapeFault {
  readonly path: readonly (string | number)[];
  /** `expected string, received number`. */
  readonly expected: string;
}

const wholeNumber = z.int().nullish();
const securityContext = z
  .object({ runAsUser: wholeNumber, runAsGroup: wholeNumber, runAsNonRoot: z.boolean().nullish() })
  .nullish();
const writtenContainer = container.extend({ securityContext, workingDir: z.string().nullish() });

/** With what is read from `rawSpec`, where the API server has seen to the types. */
const writtenSpec = spec.extend({
  containers: z.array(writtenContainer),
  initContainers: z.array(writtenContainer).nullish(),
  securityContext,
  dnsPolicy: z.string().nullish(),
  dnsConfig: z
    .object({
      nameservers: z.array(z.string()).nullish(),
      searches: z.array(z.string()).nullish(),
      options: z.array(z.object({ name: z.string().nullish(), value: z.string().nullish() })).nullish(),
    })
    .nullish(),
});

const written = z.object({
  metadata: z.object({ labels: stringMap, annotations: stringMap }).prefault({}),
  spec: writtenSpec,
});

/** What keeps a manifest's metadata and spec from being those of a pod, each with its path; of what is read, all. */
export function podFaults(metadata: unknown, spec: unknown): readonly ShapeFault[] {
  const parsed = written.safeParse({ metadata: metadata ?? {}, spec });
  if (parsed.success) return [];
  return parsed.error.issues.map(({ path, message }) => ({
    path: path.map((part) => (typeof part === 'number' ? part : String(part))),
    expected: message.replace(/^Invalid (input|option): /, '').replace(/, received undefined$/, ', and it is missing'),
  }));
}
