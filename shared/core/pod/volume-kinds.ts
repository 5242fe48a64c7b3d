import type { Pod } from '../kubernetes/pod.ts';

/** Content of a ConfigMap, Secret or projection can't be written to (Kubernetes mounts it read-only). */
export function isReadOnlyVolume(pod: Pod, name: string): boolean {
  const kind = pod.spec.volumes.find((volume) => volume.name === name)?.source.kind;
  return kind === 'configMap' || kind === 'secret' || kind === 'projected' || kind === 'downwardAPI';
}
