import * as z from 'zod';
import { list, stringMap } from './kubernetes/meta.ts';
import { fileDriver } from './kubernetes/storage.ts';
import { lifecycle, probe } from './probe.ts';
import type { ProjectedSource, VolumeSource } from '../core/kubernetes/pod.ts';

const optionalFlag = z
  .boolean()
  .nullish()
  .transform((flag) => flag ?? false);

/** The API server writes quantities as strings; a bare number is tolerated. */
const quantity = z.union([z.string(), z.number().transform(String)], 'expected a quantity such as 500m or 1Gi');

const quantities = z
  .record(z.string(), quantity)
  .nullish()
  .transform((map) => map ?? {});

const keySelector = z.object({ name: z.string().default(''), key: z.string(), optional: optionalFlag });

const fieldRef = z.object({ fieldPath: z.string() });

const resourceFieldRef = z.object({
  resource: z.string(),
  containerName: z.string().exactOptional(),
  divisor: quantity.exactOptional(),
});

const envVarSource = z
  .looseObject({
    configMapKeyRef: keySelector.exactOptional(),
    secretKeyRef: keySelector.exactOptional(),
    fieldRef: fieldRef.exactOptional(),
    resourceFieldRef: resourceFieldRef.exactOptional(),
  })
  .transform(({ configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef, ...rest }) => ({
    ...(configMapKeyRef && { configMapKeyRef }),
    ...(secretKeyRef && { secretKeyRef }),
    ...(fieldRef && { fieldRef }),
    ...(resourceFieldRef && { resourceFieldRef }),
    other: Object.keys(rest),
  }));

const objectRef = z.object({ name: z.string().default(''), optional: optionalFlag });

const envFrom = z.object({
  prefix: z.string().default(''),
  configMapRef: objectRef.exactOptional(),
  secretRef: objectRef.exactOptional(),
});

const restartRule = z.object({
  action: z.string().default('Restart'),
  exitCodes: z.object({ operator: z.string(), values: list(z.number()) }).default({ operator: 'In', values: [] }),
});

export const container = z.object({
  name: z.string(),
  image: z.string().default(''),
  command: list(z.string()),
  args: list(z.string()),
  env: list(z.object({ name: z.string(), value: z.string().exactOptional(), valueFrom: envVarSource.exactOptional() })),
  envFrom: list(envFrom),
  ports: list(
    z.object({
      containerPort: z.number(),
      protocol: z.string().default('TCP'),
      name: z.string().exactOptional(),
      hostPort: z.number().exactOptional(),
    }),
  ),
  resources: z.object({ requests: quantities, limits: quantities }).prefault({}),
  volumeMounts: list(
    z.object({
      name: z.string(),
      mountPath: z.string(),
      readOnly: optionalFlag,
      subPath: z.string().exactOptional(),
      subPathExpr: z.string().exactOptional(),
    }),
  ),
  restartPolicy: z.string().exactOptional(),
  restartPolicyRules: z.array(restartRule).exactOptional(),
  livenessProbe: probe.exactOptional(),
  readinessProbe: probe.exactOptional(),
  startupProbe: probe.exactOptional(),
  lifecycle: lifecycle.exactOptional(),
  stdin: z.boolean().exactOptional(),
  stdinOnce: z.boolean().exactOptional(),
  tty: z.boolean().exactOptional(),
  terminationMessagePath: z.string().exactOptional(),
  terminationMessagePolicy: z.string().exactOptional(),
});

const keyToPath = z.object({ key: z.string(), path: z.string(), mode: z.number().exactOptional() });
const items = z.array(keyToPath).exactOptional();
const defaultMode = z.number().exactOptional();

const downwardApiItem = z.object({
  path: z.string(),
  fieldRef: fieldRef.exactOptional(),
  resourceFieldRef: resourceFieldRef.exactOptional(),
  mode: z.number().exactOptional(),
});

const emptyDir = z.object({ medium: z.string().exactOptional(), sizeLimit: quantity.exactOptional() });
const configMap = z.object({ name: z.string().default(''), optional: optionalFlag, items });
const configMapVolume = configMap.extend({ defaultMode });
const secretVolume = z.object({ secretName: z.string().default(''), optional: optionalFlag, items, defaultMode });
const downwardApi = z.object({ items: list(downwardApiItem) });
const downwardApiVolume = downwardApi.extend({ defaultMode });
const serviceAccountToken = z.object({
  audience: z.string().exactOptional(),
  expirationSeconds: z.number().default(3600),
  path: z.string(),
});

const labelSelector = z.object({
  matchLabels: stringMap,
  matchExpressions: list(z.object({ key: z.string(), operator: z.string(), values: list(z.string()) })),
});
const clusterTrustBundle = z.object({
  name: z.string().exactOptional(),
  signerName: z.string().exactOptional(),
  labelSelector: labelSelector.exactOptional(),
  optional: optionalFlag,
  path: z.string(),
});

const projectedSource = z
  .looseObject({
    configMap: configMap.exactOptional(),
    secret: configMap.exactOptional(),
    downwardAPI: downwardApi.exactOptional(),
    serviceAccountToken: serviceAccountToken.exactOptional(),
    clusterTrustBundle: clusterTrustBundle.exactOptional(),
  })
  .transform(
    ({ configMap, secret, downwardAPI, serviceAccountToken, clusterTrustBundle, ...rest }): ProjectedSource => {
      if (configMap) return { kind: 'configMap', ...configMap };
      if (secret) return { kind: 'secret', ...secret };
      if (downwardAPI) return { kind: 'downwardAPI', ...downwardAPI };
      if (serviceAccountToken) return { kind: 'serviceAccountToken', ...serviceAccountToken };
      if (clusterTrustBundle) return { kind: 'clusterTrustBundle', ...clusterTrustBundle };
      return { kind: 'other', field: Object.keys(rest)[0] ?? '' };
    },
  );

const projected = z.object({ sources: list(projectedSource), defaultMode });

const azureFile = z.object({ secretName: z.string(), shareName: z.string(), readOnly: optionalFlag });
const claim = z.object({ claimName: z.string(), readOnly: optionalFlag });
const csi = z.object({
  driver: z.string(),
  readOnly: optionalFlag,
  volumeAttributes: z.record(z.string(), z.string()).nullish(),
  nodePublishSecretRef: z.object({ name: z.string().default('') }).nullish(),
});

/** A share named in the pod itself, by the driver's parameters. */
function inlineShare({ readOnly, volumeAttributes, nodePublishSecretRef }: z.output<typeof csi>): VolumeSource {
  const attributes = new Map(
    Object.entries(volumeAttributes ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const secretName = nodePublishSecretRef?.name ?? '';
  return { kind: 'azureFile', secretName, shareName: attributes.get('sharename') ?? '', readOnly };
}

const rawVolume = z.looseObject({
  name: z.string(),
  emptyDir: emptyDir.exactOptional(),
  configMap: configMapVolume.exactOptional(),
  secret: secretVolume.exactOptional(),
  downwardAPI: downwardApiVolume.exactOptional(),
  projected: projected.exactOptional(),
  azureFile: azureFile.exactOptional(),
  csi: csi.exactOptional(),
  persistentVolumeClaim: claim.exactOptional(),
  ephemeral: z.looseObject({}).exactOptional(),
});

/** A volume that names no source is an emptyDir (API reference). */
function volumeSource(raw: z.output<typeof rawVolume>): VolumeSource {
  if (raw.emptyDir) return { kind: 'emptyDir', ...raw.emptyDir };
  if (raw.configMap) return { kind: 'configMap', ...raw.configMap };
  if (raw.secret) {
    const { secretName, ...secret } = raw.secret;
    return { kind: 'secret', name: secretName, ...secret };
  }
  if (raw.downwardAPI) return { kind: 'downwardAPI', ...raw.downwardAPI };
  if (raw.projected) return { kind: 'projected', ...raw.projected };
  if (raw.azureFile) return { kind: 'azureFile', ...raw.azureFile };
  if (raw.persistentVolumeClaim) return { kind: 'claim', ...raw.persistentVolumeClaim };
  if (raw.ephemeral) return { kind: 'claim', claimName: undefined, readOnly: false };
  if (raw.csi?.driver === fileDriver) return inlineShare(raw.csi);
  const field = Object.keys(raw).find((member) => member !== 'name');
  return field === undefined ? { kind: 'emptyDir' } : { kind: 'other', field };
}

export const volume = rawVolume.transform((raw) => ({ name: raw.name, source: volumeSource(raw) }));
