import { ok } from '../core/fault.ts';
import type { Result } from '../core/fault.ts';
import type { Pod } from '../core/kubernetes/pod.ts';
import { imageReferences } from '../core/pod/image-needs.ts';
import type { References, ResolvedReferences } from '../core/pod/translation.ts';
import type { Deps, NodeDeps } from './deps.ts';
import { lookUpImages } from './look-up-image.ts';
import { resolveReferences } from './resolve-references.ts';

interface Wanted {
  readonly pod: Pod;
  /** What of the pod's is read. */
  readonly references: References;
  /** Table service's time, ms. */
  readonly now: () => number;
}

/** What a pod refers to in its cluster (`resolveReferences`), and then what its images say (`lookUpImages`). */
export async function resolvePod(
  deps: Deps,
  node: NodeDeps,
  { pod, references, now }: Wanted,
  signal: AbortSignal,
): Promise<Result<ResolvedReferences>> {
  const { namespace } = pod.metadata;
  const reader = { api: node.api, cluster: node.cluster.api, clock: deps.clock };
  const read = await resolveReferences(reader, namespace, references, signal);
  if (!read.ok) return read;
  const { secrets } = read.value;
  const owner = `${node.key.cluster}/${namespace}`;
  const images = imageReferences(pod, node.facts, read.value);
  const said = await lookUpImages(
    deps,
    { images, pullSecrets: pod.spec.imagePullSecrets, secrets, owner },
    now(),
    signal,
  );
  return said.ok ? ok({ ...read.value, images: said.value }) : said;
}
