import type { Pod } from '../kubernetes/pod.ts';
import { tierAnnotation, tierReasonAnnotation } from '../pod/annotations/readers.ts';
import { readTierTags } from './tier-tags.ts';

/**
 * What of a pod's annotations is to change so that they say what its group was made with: null takes one away, as what a
 * pod brings of another one does. Undefined: nothing is.
 */
export function tierAnnotations(
  { metadata }: Pick<Pod, 'metadata'>,
  tags: Readonly<Record<string, string>>,
): Readonly<Record<string, string | null>> | undefined {
  const { tier = null, reason = null } = readTierTags(tags) ?? {};
  const wanted = Object.entries({ [tierAnnotation]: tier, [tierReasonAnnotation]: reason });
  const changed = wanted.filter(([name, value]) => (metadata.annotations[name] ?? null) !== value);
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}
