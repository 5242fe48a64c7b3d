import { under } from './field-rule.ts';
import type { FieldRow, FieldRule } from './field-rule.ts';

const fixedMode = 'ACI sets the mode of the files itself';
const defaultFileMode = { harmless: [0o644] };
const flat = 'a file name without `/`: a volume of ACI has no folders';
const noStorage = 'volumes that live longer than the pod are not part of this version';
const notOfAzure = 'ACI can not mount it';
const noNode = 'there is no node whose files could be shared';
const content = 'the content as it is when the group is created; later changes do not arrive';

const keys = (source: string, of: string): readonly FieldRow[] => [
  [of, 'sent', content],
  ['items[].key', 'sent', ''],
  ['items[].path', 'sent', flat],
  ['items[].mode', 'noted', fixedMode, defaultFileMode],
  ['optional', 'emulated', `a missing ${source} makes an empty volume`],
];

const downward: readonly FieldRow[] = [
  ['items[].path', 'sent', flat],
  ['items[].fieldRef', 'sent', 'as it is when the group is created'],
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
  ],
  ['projected.sources[].serviceAccountToken.path', 'sent', flat],
  ['projected.sources[].clusterTrustBundle', 'refused', 'trust bundles are not part of this version'],
  ['projected.sources[].podCertificate', 'refused', 'pod certificates are not part of this version'],
];

const refused = (reason: string, names: readonly string[]): readonly FieldRow[] =>
  names.map((name): FieldRow => [name, 'refused', reason]);

export const volumeFields: readonly FieldRule[] = under('spec.volumes[]', [
  ...sent,
  ...refused(noNode, ['hostPath']),
  ...refused(noStorage, ['persistentVolumeClaim', 'ephemeral', 'csi', 'azureFile', 'azureDisk']),
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
