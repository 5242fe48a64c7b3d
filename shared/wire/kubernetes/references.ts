import * as z from 'zod';
import type { ConfigMapData, SecretData, ServiceInfo } from '../../core/kubernetes/references.ts';
import type { EmptyServicesSecret, ServicesCredential } from '../../core/kubernetes/cluster-reach.ts';
import { defined } from '../../core/defined.ts';
import { stringMap } from './meta.ts';

/** Go's `[]byte` in JSON: base64 with padding. */
const bytes = z.base64().transform((text) => new Uint8Array(Buffer.from(text, 'base64')));
const byteMap = z
  .record(z.string(), bytes)
  .nullish()
  .transform((map) => map ?? {});

const metadata = z.object({ resourceVersion: z.string().optional() }).default({});
const secret = z.object({ kind: z.literal('Secret'), metadata, type: z.string().default('Opaque'), data: byteMap });
const configMap = z.object({ kind: z.literal('ConfigMap'), metadata, data: stringMap, binaryData: byteMap });
const service = z.object({
  metadata: z.object({ name: z.string().min(1), namespace: z.string().min(1) }),
  spec: z.object({
    clusterIP: z.string().default(''),
    ports: z
      .array(z.object({ name: z.string().optional(), port: z.number().int(), protocol: z.string().default('TCP') }))
      .default([]),
  }),
});

/** `v1.Secret`, decoded. What does not parse is dropped without a word about its content. */
export function parseSecret(json: unknown): SecretData | undefined {
  const parsed = secret.safeParse(json);
  if (!parsed.success) return undefined;
  const { type, data, metadata: known } = parsed.data;
  return { ...defined(known), type, data };
}

const accountToken = z.object({
  kind: z.literal('Secret'),
  metadata: z.object({ uid: z.string().min(1) }),
  data: byteMap,
});

/** A Secret of type kubernetes.io/service-account-token, which the token controller fills some time after it was made. */
export function parseServicesSecret(json: unknown): ServicesCredential | EmptyServicesSecret | undefined {
  const parsed = accountToken.safeParse(json);
  if (!parsed.success) return undefined;
  const { metadata, data } = parsed.data;
  const text = (key: string): string => Buffer.from(data[key] ?? []).toString('utf8');
  const token = text('token');
  const caPem = text('ca.crt');
  return token === '' || caPem === '' ? { missing: 'empty' } : { secretUid: metadata.uid, token, caPem };
}

/** `v1.ConfigMap`, `binaryData` decoded. */
export function parseConfigMap(json: unknown): ConfigMapData | undefined {
  const parsed = configMap.safeParse(json);
  if (!parsed.success) return undefined;
  const { data, binaryData, metadata: known } = parsed.data;
  return { ...defined(known), data, binaryData };
}

const versioned = z.object({ metadata: z.object({ resourceVersion: z.string().min(1) }) });

/** The version of any object, whatever else is in the answer: a server may give the whole of it. */
export function parseResourceVersion(json: unknown): string | undefined {
  return versioned.safeParse(json).data?.metadata.resourceVersion;
}

/** `v1.Service`; `clusterIP` is `''` (ExternalName) or `None` (headless) where there is none. */
export function parseService(json: unknown): ServiceInfo | undefined {
  const parsed = service.safeParse(json);
  if (!parsed.success) return undefined;
  const { metadata, spec } = parsed.data;
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    clusterIP: spec.clusterIP,
    ports: spec.ports.map(({ name, ...port }) => (name === undefined ? port : { name, ...port })),
  };
}
