/** As much of a Pod as the relay's own pods have. Other fields that would change what runs are refused by `unknown`. */
import * as z from 'zod';

const keyToPath = z.object({ key: z.string(), path: z.string() });
const source = z.union([
  z.strictObject({ configMap: z.object({ name: z.string(), items: z.array(keyToPath).optional() }) }),
  z.strictObject({ secret: z.object({ name: z.string(), items: z.array(keyToPath).optional() }) }),
  z.strictObject({
    serviceAccountToken: z.object({
      audience: z.string().optional(),
      expirationSeconds: z.number().default(3600),
      path: z.string(),
    }),
  }),
  z.strictObject({
    downwardAPI: z.object({
      items: z.array(
        z.object({ path: z.string(), fieldRef: z.object({ fieldPath: z.literal('metadata.namespace') }) }),
      ),
    }),
  }),
]);

const mode = z.number().default(0o644);
const volume = z.union([
  z.strictObject({
    name: z.string(),
    configMap: z.object({ name: z.string(), items: z.array(keyToPath).optional(), defaultMode: mode }),
  }),
  z.strictObject({
    name: z.string(),
    secret: z.object({ secretName: z.string(), items: z.array(keyToPath).optional(), defaultMode: mode }),
  }),
  z.strictObject({ name: z.string(), projected: z.object({ sources: z.array(source), defaultMode: mode }) }),
  z.strictObject({ name: z.string(), emptyDir: z.object({}) }),
]);

const probe = z.object({
  httpGet: z.object({ path: z.string(), port: z.union([z.string(), z.number()]) }),
  periodSeconds: z.number().default(10),
  timeoutSeconds: z.number().default(1),
  failureThreshold: z.number().default(3),
});

const container = z.strictObject({
  name: z.string(),
  image: z.string(),
  imagePullPolicy: z.string().optional(),
  command: z.array(z.string()),
  args: z.array(z.string()).default([]),
  env: z.array(z.strictObject({ name: z.string(), value: z.string().default('') })).default([]),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })).default([]),
  resources: z.object({ limits: z.record(z.string(), z.string()).optional() }).default({}),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.boolean(),
    readOnlyRootFilesystem: z.boolean(),
    capabilities: z.strictObject({ drop: z.array(z.string()) }),
  }),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().default(false) })),
  startupProbe: probe.optional(),
  livenessProbe: probe.optional(),
  readinessProbe: probe.optional(),
  terminationMessagePath: z.string().optional(),
  terminationMessagePolicy: z.string().optional(),
});

/** A pod of the relay's Deployment, as the API server has it: with what admission put in. */
export const podSchema = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    deletionTimestamp: z.string().optional(),
  }),
  spec: z.object({
    serviceAccountName: z.string(),
    hostAliases: z.array(z.object({ ip: z.string(), hostnames: z.array(z.string()) })).default([]),
    securityContext: z.strictObject({
      runAsNonRoot: z.literal(true),
      runAsUser: z.number(),
      runAsGroup: z.number(),
      fsGroup: z.number(),
      seccompProfile: z.strictObject({ type: z.literal('RuntimeDefault') }),
    }),
    terminationGracePeriodSeconds: z.number().default(30),
    containers: z.tuple([container]),
    volumes: z.array(volume),
  }),
});

export type Pod = z.infer<typeof podSchema>;
export type Volume = z.infer<typeof volume>;
export type ProjectedSource = z.infer<typeof source>;
export type Probe = z.infer<typeof probe>;
