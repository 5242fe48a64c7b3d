/** What of a PersistentVolumeClaim and its PersistentVolume a kubelet reads. */

export interface ClaimData {
  readonly uid: string;
  readonly phase: 'Pending' | 'Bound' | 'Lost';
  /** Empty until it is bound. */
  readonly volumeName: string;
  /** A controller waits for its last pod, and no new one may begin with it. */
  readonly isDeleted: boolean;
  readonly storageClassName: string;
  /** UIDs of its owners; the pod's where the claim was made for an ephemeral volume. */
  readonly ownerUids: readonly string[];
}

export interface VolumeData {
  readonly name: string;
  /** The UID of the claim that it is bound to; empty: none. A claim may name a volume that is another's. */
  readonly claimUid: string;
  readonly mountOptions: readonly string[];
  readonly source: VolumeDataSource;
}

export type VolumeDataSource =
  | {
      readonly kind: 'azureFile';
      readonly shareName: string;
      /** The Secret with the account's name and key, that a node may read; undefined: the volume names none. */
      readonly secret: { readonly namespace: string; readonly name: string } | undefined;
      readonly readOnly: boolean;
      /** What of it ACI can't do: a folder of the share, the protocol NFS. */
      readonly unsupported: string | undefined;
    }
  /** `disk.csi.azure.com`, or the member of the spec: `hostPath`. */
  | { readonly kind: 'other'; readonly driver: string };
