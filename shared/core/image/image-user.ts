import type { ImageConfig } from './image-config.ts';

/** Who a container runs as, as far as the image says it. */
export type ImageUser =
  | { readonly kind: 'uid'; readonly uid: number }
  | { readonly kind: 'name'; readonly name: string };

/** `USER` without its group. No user is root, as with a container runtime. */
export function imageUser({ user }: Pick<ImageConfig, 'user'>): ImageUser {
  const [name = ''] = user.split(':', 1);
  if (name === '') return { kind: 'uid', uid: 0 };
  return /^[+-]?\d{1,18}$/.test(name) ? { kind: 'uid', uid: Number(name) } : { kind: 'name', name };
}

/** Of which container, and what its security context (its own, else the pod's) asks for. */
export interface NonRootCheck {
  readonly container: string;
  readonly pod: { readonly name: string; readonly namespace: string; readonly uid: string };
  readonly runAsNonRoot: boolean;
  readonly runAsUser?: number;
}

/**
 * Why a kubelet would not create the container (`CreateContainerConfigError`), in its words; undefined: nothing is in the
 * way. With `runAsUser` the image's own user is not asked for.
 */
export function nonRootFault(check: NonRootCheck, config: Pick<ImageConfig, 'user'>): string | undefined {
  if (!check.runAsNonRoot) return undefined;
  const { pod, container, runAsUser } = check;
  const where = ` (pod: "${pod.name}_${pod.namespace}(${pod.uid})", container: ${container})`;
  if (runAsUser !== undefined)
    return runAsUser === 0 ? `container's runAsUser breaks non-root policy${where}` : undefined;
  const user = imageUser(config);
  if (user.kind === 'name')
    return `container has runAsNonRoot and image has non-numeric user (${user.name}), cannot verify user is non-root${where}`;
  return user.uid === 0 ? `container has runAsNonRoot and image will run as root${where}` : undefined;
}
