import type { GroupVolume } from '../group/group.ts';
import type { SecretData } from '../kubernetes/references.ts';
import type { Pod, Volume, VolumeSource } from '../kubernetes/pod.ts';
import type { VolumeDataSource } from '../kubernetes/storage.ts';
import { mountedVolumes } from './mounted-volumes.ts';
import { failedMount, ok, refuse } from './evaluation.ts';
import type { Evaluation } from './evaluation.ts';
import type { Notice, ResolvedClaim, ResolvedReferences } from './translation.ts';

type Share = Extract<VolumeDataSource, { readonly kind: 'azureFile' }>;
type ClaimSource = Extract<VolumeSource, { readonly kind: 'claim' }>;

/** The claim of a volume; that of an ephemeral one is made by a controller under this name (KEP-1698). */
export const claimNameOf = (pod: Pick<Pod, 'metadata'>, volume: Volume, { claimName }: ClaimSource): string =>
  claimName ?? `${pod.metadata.name}-${volume.name}`;

export interface ShareScope {
  readonly pod: Pod;
  readonly resolved: Pick<ResolvedReferences, 'secrets' | 'claims'>;
  readonly volume: Volume;
  /** `spec.volumes[0]`. */
  readonly path: string;
  /** Of the volume in the group. */
  readonly name: string;
}

/** The keys under which both drivers look for an account. */
const accountKey = 'azurestorageaccountname';
const secretKey = 'azurestorageaccountkey';

const textOf = ({ data }: SecretData, key: string): string | undefined => {
  const bytes = Object.hasOwn(data, key) ? data[key] : undefined;
  return bytes === undefined || bytes.length === 0 ? undefined : new TextDecoder().decode(bytes).trim();
};

const setUpFailed = ({ volume }: ShareScope, why: string): Evaluation<never> =>
  failedMount(`MountVolume.SetUp failed for volume "${volume.name}" : ${why}`);

interface Wanted {
  readonly shareName: string;
  readonly readOnly: boolean;
  /** `namespace/name`. */
  readonly secretName: string;
  readonly secret: SecretData | undefined;
}

/** The volume of ACI, as soon as the Secret is there and has an account in it. */
function groupShare(scope: ShareScope, { shareName, readOnly, secretName, secret }: Wanted): Evaluation<GroupVolume> {
  if (secret === undefined) return setUpFailed(scope, `couldn't get secret ${secretName}`);
  const account = textOf(secret, accountKey);
  const key = textOf(secret, secretKey);
  if (account === undefined || key === undefined)
    return setUpFailed(scope, `secret ${secretName} has no ${account === undefined ? accountKey : secretKey}`);
  return ok({
    name: scope.name,
    azureFile: {
      shareName,
      storageAccountName: account,
      storageAccountKey: key,
      ...(readOnly && { readOnly: true as const }),
    },
  });
}

/** A share that the pod itself names. */
export function inlineShare(
  scope: ShareScope,
  { secretName, shareName, readOnly }: Extract<VolumeSource, { readonly kind: 'azureFile' }>,
): Evaluation<GroupVolume> {
  if (secretName === '')
    return refuse(scope.path, 'it names no Secret that a node may read: set csi.nodePublishSecretRef');
  if (shareName === '') return refuse(scope.path, 'it names no share: set csi.volumeAttributes.shareName');
  return groupShare(scope, {
    shareName,
    readOnly,
    secretName: `${scope.pod.metadata.namespace}/${secretName}`,
    secret: scope.resolved.secrets.get(secretName),
  });
}

/** A kubelet waits for the claim, in these words (pkg/kubelet/volumemanager). */
function notProcessed({ volume, pod }: ShareScope, claimName: string, why: string): Evaluation<never> {
  const list = `[${volume.name}]`;
  const claim = `${pod.metadata.namespace}/${claimName}`;
  return failedMount(
    `Unable to attach or mount volumes: unmounted volumes=${list}, unattached volumes=[], failed to process volumes=${list}: error processing PVC ${claim}: ${why}`,
  );
}

const otherDriver = (scope: ShareScope, volume: string, driver: string): Evaluation<never> =>
  refuse(
    scope.path,
    `its volume ${volume} is of ${driver}, which ACI can not mount; use a StorageClass of file.csi.azure.com (azurefile-csi)`,
  );

/** The share behind a claim, when it is bound to one. */
export function claimedShare(scope: ShareScope, source: ClaimSource): Evaluation<GroupVolume> {
  const claimName = claimNameOf(scope.pod, scope.volume, source);
  const found = scope.resolved.claims.get(claimName);
  if (found === undefined)
    return notProcessed(
      scope,
      claimName,
      `failed to fetch PVC from API server: persistentvolumeclaims "${claimName}" not found`,
    );
  if (source.claimName === undefined && !found.claim.ownerUids.includes(scope.pod.metadata.uid))
    return notProcessed(scope, claimName, 'PVC was not created for pod: the pod is not its owner');
  return boundShare(scope, { claimName, found, readOnly: source.readOnly });
}

function boundShare(
  scope: ShareScope,
  {
    claimName,
    found,
    readOnly,
  }: { readonly claimName: string; readonly found: ResolvedClaim; readonly readOnly: boolean },
): Evaluation<GroupVolume> {
  const { claim, volume, secret } = found;
  if (claim.isDeleted) return notProcessed(scope, claimName, 'PVC is being deleted');
  if (claim.phase !== 'Bound' || volume === undefined) return notProcessed(scope, claimName, 'PVC is not bound');
  const { source, name, claimUid } = volume;
  if (claimUid !== claim.uid)
    return notProcessed(
      scope,
      claimName,
      `found PV object ${name} but its pv.Spec.ClaimRef.UID ${claimUid} does not point to claim.UID ${claim.uid}`,
    );
  if (source.kind === 'other') return otherDriver(scope, name, source.driver);
  const why = refusalOf(source);
  if (why !== undefined || source.secret === undefined) return refuse(scope.path, `its volume ${name} ${why ?? ''}`);
  const secretName = `${source.secret.namespace}/${source.secret.name}`;
  return groupShare(scope, { shareName: source.shareName, readOnly: readOnly || source.readOnly, secretName, secret });
}

function refusalOf({ shareName, secret, unsupported }: Share): string | undefined {
  if (unsupported !== undefined) return `asks for ${unsupported}, which ACI can not mount`;
  if (shareName === '') return 'names no share (volumeAttributes.shareName)';
  return secret === undefined
    ? "names no Secret with the account's key that a node may read: set nodeStageSecretRef (a StorageClass does by csi.storage.k8s.io/node-stage-secret-name and -namespace)"
    : undefined;
}

/** What of a volume's mount has no effect. */
export function shareNotices(pod: Pod, { claims }: Pick<ResolvedReferences, 'claims'>): readonly Notice[] {
  const sentences = mountedVolumes(pod).flatMap(({ volume, path }) => {
    if (volume.source.kind !== 'claim') return [];
    const options = claims.get(claimNameOf(pod, volume, volume.source))?.volume?.mountOptions ?? [];
    return options.length === 0 ? [] : [`${path}: ACI mounts a share in its own way, without ${options.join(',')}`];
  });
  return sentences.length === 0 ? [] : [{ reason: 'FieldWithoutEffect', message: sentences.join('; ') }];
}
