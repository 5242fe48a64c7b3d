/** What a tag named when a registry was last asked. */
export interface ImageTag {
  readonly digest: string;
  /** Table service's time, ms. */
  readonly readAt: number;
}

/** Tags move: for minutes an answer is as good as a kubelet's image that is present. */
export const tagLivesMs = 300_000;

/** Whether a tag need not be asked for again. A clock that went back makes it old. */
export const isTagFresh = ({ readAt }: ImageTag, now: number): boolean => now >= readAt && now - readAt < tagLivesMs;
