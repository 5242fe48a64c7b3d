import { beside, prepared } from '../../agent/gift.ts';
import { under } from './field-rule.ts';
import type { FieldRow, FieldRule } from './field-rule.ts';

const fixedMode = 'ACI sets the mode of the files itself';
const defaultFileMode = { harmless: [0o644], ...prepared.wants('set as asked') };
const anywhere = prepared.needs('any folders, in the tree of a kubelet');
const places =
  'a file name; or a path, where all files of the volume are in folders, none inside another or inside of another mount: a volume for each folder';
const noDisk = 'ACI mounts no disks; use a claim of a StorageClass of file.csi.azure.com (azurefile-csi)';
const share = 'a share of Azure Files, with the account and key that its Secret holds';
const notOfAzure = 'ACI can not mount it';
const noNode = 'there is no node whose files could be shared';
const content = 'the content as it is when the group is created; later changes do not arrive';
const live = beside.takes('later changes arrive, where it is mounted as a whole');

const keys = (source: string, of: string): readonly FieldRow[] => [
  [of, 'sent', content, live],
  ['items[].key', 'sent', ''],
  ['items[].path', 'sent', places, anywhere],
  ['items[].mode', 'noted', fixedMode, defaultFileMode],
  ['optional', 'emulated', `a missing ${source} makes an empty volume`],
];

const downward: readonly FieldRow[] = [
  ['items[].path', 'sent', places, anywhere],
  [
    'items[].fieldRef',
    'sent',
    'as it is when the group is created',
    beside.wants('labels and annotations as they become'),
  ],
  ['items[].resourceFieldRef', 'sent', 'a missing limit is what the group is granted'],
  ['items[].mode', 'noted', fixedMode, defaultFileMode],
];

const below = (prefix: string, rows: readonly FieldRow[]): readonly FieldRow[] =>
  rows.map(([name, verdict, reason, more]): FieldRow => [`${prefix}.${name}`, verdict, reason, more ?? {}]);

const mode: FieldRow = ['defaultMode', 'noted', fixedMode, defaultFileMode];

const sent: readonly FieldRow[] = [
  ['name', 'sent', ''],
  ['emptyDir.medium', 'noted', "ACI's emptyDir is on disk", { only: ['Memory'], otherwise: 'ACI has no huge pages' }],
  ['emptyDir.sizeLimit', 'noted', 'nobody is evicted for it; the group has 50 GB', { harmless: ['0'] }],
  ...below('configMap', [...keys('ConfigMap', 'name'), mode]),
  ...below('secret', [...keys('Secret', 'secretName'), mode]),
  ...below('downwardAPI', [...downward, mode]),
  ...below('projected', [mode]),
  ...below('projected.sources[].configMap', keys('ConfigMap', 'name')),
  ...below('projected.sources[].secret', keys('Secret', 'name')),
  ...below('projected.sources[].downwardAPI', downward),
  ['projected.sources[].serviceAccountToken.audience', 'sent', ''],
  [
    'projected.sources[].serviceAccountToken.expirationSeconds',
    'sent',
    'for another audience; for the API server the longest that it gives is asked for. The token is bound to the pod and is not renewed',
    beside.wants(
      'renewed at 80 % of its life; a pod with restartPolicy Always that may outlive it gets the agent for it',
    ),
  ],
  ['projected.sources[].serviceAccountToken.path', 'sent', places, anywhere],
  [
    'projected.sources[].clusterTrustBundle.name',
    'sent',
    'its certificates, each once, as they are when the group is created; waited for where the API server does not serve or hold it',
  ],
  ['projected.sources[].clusterTrustBundle.signerName', 'sent', 'those of all its trust bundles that have the labels'],
  ['projected.sources[].clusterTrustBundle.labelSelector', 'sent', 'without one no trust bundle is selected'],
  ['projected.sources[].clusterTrustBundle.optional', 'emulated', 'a missing trust bundle makes an empty file'],
  ['projected.sources[].clusterTrustBundle.path', 'sent', places, anywhere],
  ['projected.sources[].podCertificate', 'refused', 'pod certificates are not part of this version'],
];

const shares: readonly FieldRow[] = [
  ['azureFile.secretName', 'sent', share],
  ['azureFile.shareName', 'sent', share],
  ['azureFile.readOnly', 'sent', ''],
  [
    'persistentVolumeClaim.claimName',
    'sent',
    `${share}; waited for until it is bound, and refused where its volume is of another driver`,
  ],
  ['persistentVolumeClaim.readOnly', 'sent', ''],
  ['ephemeral', 'sent', 'the claim that a controller makes for the pod, as any other'],
  [
    'csi.driver',
    'sent',
    share,
    { only: ['file.csi.azure.com'], otherwise: 'ACI mounts Azure Files only (file.csi.azure.com)' },
  ],
  ['csi.readOnly', 'sent', ''],
  ['csi.nodePublishSecretRef', 'sent', 'the Secret with the account and its key'],
  ['csi.volumeAttributes.shareName', 'sent', ''],
  ['csi.volumeAttributes.sharename', 'sent', ''],
  [
    'csi.volumeAttributes.secretName',
    'ignored',
    'the driver would read it, a node may not: name it in `nodePublishSecretRef`',
  ],
  ['csi.volumeAttributes.mountOptions', 'noted', 'ACI mounts a share in its own way'],
  ['csi.volumeAttributes.*', 'refused', 'ACI can not mount a share in that way'],
  ['csi.fsType', 'ignored', 'a share has no file system of its own'],
];

const refused = (reason: string, names: readonly string[]): readonly FieldRow[] =>
  names.map((name): FieldRow => [name, 'refused', reason]);

export const volumeFields: readonly FieldRule[] = under('spec.volumes[]', [
  ...sent,
  ...refused(noNode, ['hostPath']),
  ...shares,
  ...refused(noDisk, ['azureDisk']),
  ...refused('image volumes are not part of this version', ['image']),
  ...refused('git volumes are gone from Kubernetes; use an init container', ['gitRepo']),
  ...refused(notOfAzure, [
    'awsElasticBlockStore',
    'cephfs',
    'cinder',
    'fc',
    'flexVolume',
    'flocker',
    'gcePersistentDisk',
    'glusterfs',
    'iscsi',
    'nfs',
    'photonPersistentDisk',
    'portworxVolume',
    'quobyte',
    'rbd',
    'scaleIO',
    'storageos',
    'vsphereVolume',
  ]),
]);
