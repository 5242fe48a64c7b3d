import type { Pod, ProjectedSource, Volume } from '../kubernetes/pod.ts';

export interface MountedVolume {
  readonly volume: Volume;
  /** `spec.volumes[0]`. */
  readonly path: string;
}

/** The volumes that some container mounts, in the order of the spec; the others are left out. */
export function mountedVolumes(pod: Pod): readonly MountedVolume[] {
  const containers = [...pod.spec.initContainers, ...pod.spec.containers];
  const names = new Set(containers.flatMap((container) => container.volumeMounts.map((mount) => mount.name)));
  return pod.spec.volumes
    .map((volume, index) => ({ volume, path: `spec.volumes[${index}]` }))
    .filter(({ volume }) => names.has(volume.name));
}

export type TokenSource = Extract<ProjectedSource, { readonly kind: 'serviceAccountToken' }>;

/** In the order in which `References.tokens` and `ResolvedReferences.tokens` have them. */
export const tokenSources = (pod: Pod): readonly TokenSource[] =>
  mountedVolumes(pod).flatMap(({ volume: { source } }) =>
    source.kind === 'projected' ? source.sources.filter((projected) => projected.kind === 'serviceAccountToken') : [],
  );
