import { describe, expect, it } from 'vitest';
import type { ClaimData, VolumeData, VolumeDataSource } from '../../../shared/core/kubernetes/storage.ts';
import type { ResolvedClaim } from '../../../shared/core/pod/translation.ts';
import { listReferences } from '../../../shared/core/pod/references.ts';
import { translatePod } from '../../../shared/core/pod/translate.ts';
import { parseClaim, parseVolume } from '../../../shared/wire/kubernetes/storage.ts';
import { facts, podOf, rawContainer, resolved, secret } from './fixtures.ts';
import type { Raw } from './fixtures.ts';

const volumeMounts = [{ name: 'data', mountPath: '/data' }];
const podWith = (source: Raw) =>
  podOf({ containers: [rawContainer({ volumeMounts })], volumes: [{ name: 'data', ...source }] });
const account = secret({ azurestorageaccountname: 'acc\n', azurestorageaccountkey: 'key==' });

const claimed = podWith({ persistentVolumeClaim: { claimName: 'store' } });
const uid = claimed.metadata.uid;
const bound: ClaimData = {
  uid: 'c',
  phase: 'Bound',
  volumeName: 'pv',
  isDeleted: false,
  storageClassName: 'azurefile',
  ownerUids: [],
};
const share: VolumeDataSource = {
  kind: 'azureFile',
  shareName: 's',
  secret: { namespace: 'default', name: 'acc' },
  readOnly: false,
  unsupported: undefined,
};
const volumeOf = (source: Partial<typeof share> | VolumeDataSource): VolumeData => ({
  name: 'pv',
  claimUid: 'c',
  mountOptions: [],
  source: source.kind === 'other' ? source : { ...share, ...source },
});
const azureFile = { shareName: 's', storageAccountName: 'acc', storageAccountKey: 'key==' };

describe('a share that the pod names', () => {
  const inline = podWith({ azureFile: { secretName: 'acc', shareName: 's' } });
  it('is mounted with the account of its Secret', () => {
    expect(listReferences(inline, facts).secrets).toEqual(['acc']);
    expect(translatePod(inline, facts, resolved({ secrets: { acc: account } }))).toMatchObject({
      kind: 'group',
      body: { volumes: [{ name: 'data', azureFile }] },
    });
  });

  it('by the driver, too, read-only', () => {
    const csi = {
      driver: 'file.csi.azure.com',
      readOnly: true,
      volumeAttributes: { shareName: 's' },
      nodePublishSecretRef: { name: 'acc' },
    };
    expect(translatePod(podWith({ csi }), facts, resolved({ secrets: { acc: account } }))).toMatchObject({
      body: { volumes: [{ name: 'data', azureFile: { ...azureFile, readOnly: true } }] },
    });
  });

  it.each<[string, Record<string, string> | undefined, string]>([
    ['is missing', undefined, "couldn't get secret shop/acc"],
    ['has no account', { azurestorageaccountkey: 'k' }, 'has no azurestorageaccountname'],
    ['has no key', { azurestorageaccountname: 'a' }, 'has no azurestorageaccountkey'],
  ])('waits while its Secret %s', (_, data, why) =>
    expect(
      translatePod(inline, facts, resolved(data === undefined ? {} : { secrets: { acc: secret(data) } })),
    ).toMatchObject({
      kind: 'waiting',
      reason: 'FailedMount',
      message: expect.stringMatching(new RegExp(`^MountVolume.SetUp failed for volume "data" : .*${why}`)),
    }),
  );

  it.each<[string, Raw, string]>([
    ['of another driver', { csi: { driver: 'secrets-store.csi.k8s.io' } }, 'spec.volumes[0].csi.driver'],
    [
      'without a Secret',
      { csi: { driver: 'file.csi.azure.com', volumeAttributes: { shareName: 's', secretName: 'acc' } } },
      'nodePublishSecretRef',
    ],
    [
      'without a share',
      { csi: { driver: 'file.csi.azure.com', nodePublishSecretRef: { name: 'acc' } } },
      'volumeAttributes.shareName',
    ],
    [
      'over NFS',
      { csi: { driver: 'file.csi.azure.com', volumeAttributes: { protocol: 'nfs' } } },
      'csi.volumeAttributes.protocol',
    ],
  ])('%s is refused', (_, source, message) =>
    expect(translatePod(podWith(source), facts, resolved({ secrets: { acc: account } }))).toMatchObject({
      kind: 'refused',
      message: expect.stringContaining(message),
    }),
  );
});

describe('a claim', () => {
  const translated = (claim: ResolvedClaim | undefined, pod = claimed, name = 'store') =>
    translatePod(pod, facts, resolved(claim === undefined ? {} : { claims: { [name]: claim } }));

  it('is mounted as the share of its volume', () => {
    expect(listReferences(claimed, facts).claims).toEqual(['store']);
    expect(translated({ claim: bound, volume: volumeOf({}), secret: account })).toMatchObject({
      kind: 'group',
      body: { volumes: [{ name: 'data', azureFile }] },
    });
  });

  it('of an ephemeral volume is the pod\u2019s own', () => {
    const pod = podWith({ ephemeral: { volumeClaimTemplate: { spec: {} } } });
    const name = `${pod.metadata.name}-data`;
    expect(listReferences(pod, facts).claims).toEqual([name]);
    const claim = { claim: bound, volume: volumeOf({}), secret: account };
    expect(translated({ ...claim, claim: { ...bound, ownerUids: [uid] } }, pod, name)).toMatchObject({ kind: 'group' });
    expect(translated(claim, pod, name)).toMatchObject({ kind: 'waiting', message: expect.stringContaining('owner') });
  });

  const notProcessed = 'failed to process volumes=[data]: error processing PVC shop/store: ';
  it.each<[string, ResolvedClaim | undefined, string]>([
    [
      'is not there',
      undefined,
      `${notProcessed}failed to fetch PVC from API server: persistentvolumeclaims "store" not found`,
    ],
    ['is Pending', { claim: { ...bound, phase: 'Pending', volumeName: '' } }, `${notProcessed}PVC is not bound`],
    ['has lost its volume', { claim: bound }, `${notProcessed}PVC is not bound`],
    [
      'is being deleted',
      { claim: { ...bound, isDeleted: true }, volume: volumeOf({}), secret: account },
      `${notProcessed}PVC is being deleted`,
    ],
    [
      'names the volume of another',
      { claim: { ...bound, uid: 'd' }, volume: volumeOf({}), secret: account },
      `${notProcessed}found PV object pv but its pv.Spec.ClaimRef.UID c does not point to claim.UID d`,
    ],
    ['waits for its Secret', { claim: bound, volume: volumeOf({}) }, "couldn't get secret default/acc"],
  ])('that %s is waited for', (_, claim, message) =>
    expect(translated(claim)).toMatchObject({
      kind: 'waiting',
      reason: 'FailedMount',
      message: expect.stringContaining(message),
    }),
  );

  it.each<[string, VolumeData, string]>([
    [
      'of a disk',
      volumeOf({ kind: 'other', driver: 'disk.csi.azure.com' }),
      'is of disk.csi.azure.com, which ACI can not mount; use a StorageClass of file.csi.azure.com',
    ],
    ['without a Secret', volumeOf({ secret: undefined }), 'csi.storage.k8s.io/node-stage-secret-name'],
    ['over NFS', volumeOf({ unsupported: 'the protocol NFS' }), 'asks for the protocol NFS'],
    ['without a share', volumeOf({ shareName: '' }), 'names no share'],
  ])('%s is refused', (_, volume, message) =>
    expect(translated({ claim: bound, volume, secret: account })).toMatchObject({
      kind: 'refused',
      field: 'spec.volumes[0]',
      message: expect.stringContaining(message),
    }),
  );

  it('an event names the mount options', () => {
    const volume = { ...volumeOf({}), mountOptions: ['dir_mode=0777', 'uid=0'] };
    expect(translated({ claim: bound, volume, secret: account })).toMatchObject({
      notices: [{ reason: 'FieldWithoutEffect', message: expect.stringContaining('dir_mode=0777,uid=0') }],
    });
  });
});

describe('a PersistentVolume', () => {
  const read = (spec: object) => parseVolume({ kind: 'PersistentVolume', metadata: { name: 'pv' }, spec })?.source;
  it.each<[string, object, VolumeDataSource]>([
    [
      'of the driver, made for a claim',
      {
        csi: {
          driver: 'file.csi.azure.com',
          volumeHandle: 'rg#acc#pvc-1#disk#uuid#ns',
          volumeAttributes: { secretnamespace: 'default' },
          nodeStageSecretRef: { name: 'acc', namespace: 'kube-system' },
        },
      },
      { ...share, shareName: 'pvc-1', secret: { namespace: 'kube-system', name: 'acc' } },
    ],
    [
      'of the driver, made by hand',
      {
        csi: {
          driver: 'file.csi.azure.com',
          volumeAttributes: { ShareName: 's' },
          nodeStageSecretRef: { name: 'acc' },
        },
      },
      share,
    ],
    [
      'in-tree',
      { azureFile: { secretName: 'acc', shareName: 's' }, claimRef: { namespace: 'shop' } },
      { ...share, secret: { namespace: 'shop', name: 'acc' } },
    ],
    ['of a disk', { csi: { driver: 'disk.csi.azure.com' } }, { kind: 'other', driver: 'disk.csi.azure.com' }],
    ['of a node', { capacity: {}, accessModes: [], hostPath: { path: '/x' } }, { kind: 'other', driver: 'hostPath' }],
  ])('%s', (_, spec, source) => expect(read(spec)).toEqual(source));

  it('names the claim that it is bound to', () => {
    const ofPv = (spec: object) => parseVolume({ kind: 'PersistentVolume', metadata: { name: 'pv' }, spec })?.claimUid;
    expect([ofPv({ claimRef: { namespace: 'shop', uid: 'c' } }), ofPv({ claimRef: null }), ofPv({})]).toEqual([
      'c',
      '',
      '',
    ]);
  });

  it('of a claim is reported whether that is deleted', () => {
    const read = (metadata: object) => parseClaim({ kind: 'PersistentVolumeClaim', metadata, spec: {} })?.isDeleted;
    expect(read({ uid: 'c' })).toBe(false);
    expect(read({ uid: 'c', deletionTimestamp: '2026-11-23T12:00:00Z' })).toBe(true);
  });

  it.each([{}, null, '<html>', { kind: 'PersistentVolume' }])('%j is none', (json) => {
    expect(parseVolume(json)).toBeUndefined();
    expect(parseClaim(json)).toBeUndefined();
  });
});
