import * as z from 'zod';
import type { ClaimData, VolumeData, VolumeDataSource } from '../../core/kubernetes/storage.ts';
import { list, stringMap } from './meta.ts';

const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

const claim = z.object({
  kind: z.literal('PersistentVolumeClaim'),
  metadata: z.object({
    uid: z.string(),
    deletionTimestamp: z.string().nullish(),
    ownerReferences: list(z.object({ uid: z.string() })).transform((owners) => owners.map(({ uid }) => uid)),
  }),
  spec: z.object({ volumeName: text, storageClassName: text }),
  status: z.object({ phase: z.enum(['Pending', 'Bound', 'Lost']).catch('Pending') }).prefault({ phase: 'Pending' }),
});

/** `v1.PersistentVolumeClaim`. */
export function parseClaim(json: unknown): ClaimData | undefined {
  const { data } = claim.safeParse(json);
  if (data === undefined) return undefined;
  const { metadata, spec, status } = data;
  const { uid, ownerReferences: ownerUids, deletionTimestamp } = metadata;
  return { uid, ownerUids, phase: status.phase, isDeleted: typeof deletionTimestamp === 'string', ...spec };
}

/** The driver of Azure Files (https://github.com/kubernetes-sigs/azurefile-csi-driver/blob/master/docs/driver-parameters.md). */
export const fileDriver = 'file.csi.azure.com';

const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);

const volume = z.object({
  kind: z.literal('PersistentVolume'),
  metadata: z.object({ name: z.string().min(1) }),
  spec: z.looseObject({
    claimRef: z.object({ namespace: text, uid: text }).nullish(),
    mountOptions: list(z.string()),
    azureFile: z.object({ secretName: text, secretNamespace: text, shareName: text, readOnly: flag }).nullish(),
    csi: z
      .object({
        driver: z.string(),
        volumeHandle: text,
        readOnly: flag,
        volumeAttributes: stringMap,
        nodeStageSecretRef: z.object({ name: text, namespace: text }).nullish(),
      })
      .nullish(),
  }),
});

type Spec = z.output<typeof volume>['spec'];

/** Members of the spec that are no source. */
const others: ReadonlySet<string> = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
]);

/** `resource-group#account#share#…`, where the attributes name no share. */
const shareOfHandle = (handle: string): string => handle.split('#')[2] ?? '';

function fileShare(csi: NonNullable<Spec['csi']>): VolumeDataSource {
  const attributes = new Map(Object.entries(csi.volumeAttributes).map(([name, value]) => [name.toLowerCase(), value]));
  const folder = attributes.get('foldername') ?? '';
  const isNfs = attributes.get('protocol')?.toLowerCase() === 'nfs';
  const { name = '', namespace = '' } = csi.nodeStageSecretRef ?? {};
  return {
    kind: 'azureFile',
    shareName: attributes.get('sharename') ?? shareOfHandle(csi.volumeHandle),
    secret: name === '' ? undefined : { namespace: namespace === '' ? 'default' : namespace, name },
    readOnly: csi.readOnly,
    unsupported: isNfs ? 'the protocol NFS' : folder === '' ? undefined : `the folder ${folder} of a share`,
  };
}

function sourceOf(spec: Spec): VolumeDataSource {
  const { azureFile, csi, claimRef } = spec;
  if (azureFile) {
    const namespace = azureFile.secretNamespace === '' ? (claimRef?.namespace ?? '') : azureFile.secretNamespace;
    const secret = azureFile.secretName === '' ? undefined : { namespace, name: azureFile.secretName };
    return {
      kind: 'azureFile',
      shareName: azureFile.shareName,
      secret,
      readOnly: azureFile.readOnly,
      unsupported: undefined,
    };
  }
  if (csi) return csi.driver === fileDriver ? fileShare(csi) : { kind: 'other', driver: csi.driver };
  return { kind: 'other', driver: Object.keys(spec).find((member) => !others.has(member)) ?? 'nothing' };
}

/** `v1.PersistentVolume`. */
export function parseVolume(json: unknown): VolumeData | undefined {
  const { data } = volume.safeParse(json);
  if (data === undefined) return undefined;
  const { metadata, spec } = data;
  const { mountOptions, claimRef } = spec;
  return { name: metadata.name, claimUid: claimRef?.uid ?? '', mountOptions, source: sourceOf(spec) };
}
